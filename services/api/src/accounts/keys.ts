// Server keys: how an application proves itself. Only a digest is kept.
import { createHmac, hash } from "node:crypto";
import { AppError, keysCreate, keysList, keysRemove } from "@parley/protocol";
import { secretCheck } from "@parley/runtime";
import { type Bound, bind } from "../call.ts";
import type { ApiStore } from "../store.ts";

export const keyPrefix = "pk_";

export function keyMethods(store: ApiStore, signingKey: Uint8Array): Bound[] {
  return [
    bind(keysCreate, async ({ name }, { operation }) => {
      // Made from the operation: a request worked again answers the same key, which is kept nowhere.
      const made = createHmac("sha256", signingKey).update(`server-key ${operation}`).digest();
      const id = made.subarray(0, 6).toString("hex");
      const key = `${keyPrefix}${id}_${made.subarray(6).toString("base64url")}`;
      const doc = { id, name, createdAt: Date.now(), hash: digest(key) };
      await store.keys.insert(id, doc);
      const { createdAt } = (await store.keys.get(id))?.doc ?? doc;
      return { id, name, createdAt, key };
    }),
    bind(keysList, async () => {
      const keys = [];
      for await (const { doc } of everyKey(store)) keys.push({ id: doc.id, name: doc.name, createdAt: doc.createdAt });
      return { keys };
    }),
    bind(keysRemove, async ({ id }) =>
      (await store.keys.remove(id)) ? {} : new AppError("not_found", `there is no key ${id}`),
    ),
  ];
}

/** The id of a key that is ours, or undefined. */
export async function verifyKey({ keys }: ApiStore, key: string): Promise<string | undefined> {
  const id = /^pk_([0-9a-f]{12})_[0-9A-Za-z_-]{35}$/.exec(key)?.[1];
  const kept = id === undefined ? undefined : await keys.get(id);
  return kept && secretCheck(kept.doc.hash)(digest(key)) ? id : undefined;
}

async function* everyKey({ keys }: ApiStore) {
  let page: string | null | undefined;
  do {
    const { items, next } = await keys.find({ limit: 500, ...(page ? { page } : {}) });
    yield* items;
    page = next;
  } while (page);
}

/** SHA-256, hex. */
function digest(key: string): string {
  return hash("sha256", key);
}
