// A collection with one index of each kind, for the tests of Documents.
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import type { Collection, CollectionDefinition, FindQuery } from "../documents.ts";
import { StoreError } from "../store-error.ts";
import type { OpenEngine } from "./engine.ts";

export type Token = { uid: string; ts: number; token?: string | null; active?: boolean; nested?: { email: string } };

export const definition = {
  name: "tokens",
  indexes: {
    byUid: ["uid"],
    byUidTime: ["uid", "ts"],
    byActive: ["active"],
    byEmail: ["nested.email"],
    byToken: { fields: ["token"], unique: true },
  },
} satisfies CollectionDefinition;

export const codeOf = (code: string) => (error: unknown) => error instanceof StoreError && error.code === code;

export async function openTokens(open: OpenEngine, t: TestContext): Promise<Collection<Token>> {
  return (await open(t)).store.documents().collection<Token>(definition);
}

export function keys({ items }: { items: readonly { key: string }[] }): string[] {
  return items.map(({ key }) => key);
}

/** All pages of a query, put together. */
export async function walk<T extends object>(collection: Collection<T>, query: FindQuery) {
  const items = [];
  let page: string | null | undefined;
  do {
    const found = await collection.find({ ...query, ...(page ? { page } : {}) });
    assert.ok(found.items.length <= query.limit);
    items.push(...found.items);
    page = found.next;
  } while (page);
  return { items };
}
