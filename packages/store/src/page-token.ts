// The page token of `find`: where the page ended, bound to its query.
import { createHash } from "node:crypto";
import type { FindQuery, IndexValue } from "./documents.ts";
import { StoreError } from "./store-error.ts";

/** `position`: the values that the query is ordered by, of the last document of the page. */
export function writePage(collection: string, query: FindQuery, position: readonly IndexValue[]): string {
  return Buffer.from(JSON.stringify([queryMark(collection, query), ...position])).toString("base64url");
}

/** The position in `query.page`. Throws `invalid_page`. */
export function readPage(collection: string, query: FindQuery & { page: string }, length: number): IndexValue[] {
  const token = parse(query.page);
  const [mark, ...position] = Array.isArray(token) ? token : [];
  if (mark !== queryMark(collection, query) || position.length !== length || !position.every(isIndexValue)) {
    throw new StoreError("invalid_page", "the page token is not of this query");
  }
  return position;
}

function parse(page: string): unknown {
  try {
    return JSON.parse(Buffer.from(page, "base64url").toString());
  } catch {
    return undefined;
  }
}

// The limit may differ from page to page.
function queryMark(collection: string, { index, equals, from, after, to, before, order = "asc" }: FindQuery): string {
  const parts = [collection, index, equals ?? [], from, after, to, before, order];
  return createHash("sha256")
    .update(JSON.stringify(parts.map((part) => part ?? null)))
    .digest("base64url")
    .slice(0, 11);
}

function isIndexValue(value: unknown): value is IndexValue {
  return ["string", "number", "boolean"].includes(typeof value);
}
