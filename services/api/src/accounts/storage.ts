// What programs keep for an account, as a document a name.
import { AppError, storageGet, storageSet } from "@parley/protocol";
import { type Bound, bind } from "../call.ts";
import type { ApiStore } from "../store.ts";

const valueBytes = 16 * 1024;
const namesMax = 32;
const pageNames = 100;

export function storageMethods({ store }: { store: ApiStore }): Bound[] {
  return [
    bind(storageGet, async ({ name }, { caller }) => {
      const kept = (await store.storage.get(keyOf(caller.uid, name)))?.doc;
      return kept
        ? { value: JSON.parse(kept.value) as Record<string, unknown>, version: kept.version }
        : { value: null, version: 0 };
    }),
    bind(storageSet, async ({ name, value, version }, { caller }) => {
      const { uid } = caller;
      const key = keyOf(uid, name);
      const text = JSON.stringify(value);
      if (Buffer.byteLength(text) > valueBytes)
        return new AppError("too_large", `a value has at most ${valueBytes} bytes`);
      const kept = await store.storage.get(key);
      const changed = new AppError("conflict", "it was changed meanwhile: read it again");
      if (version !== undefined && version !== (kept?.doc.version ?? 0)) return changed;
      if (!kept && (await namesOf(store, uid)) >= namesMax)
        return new AppError("conflict", `an account keeps at most ${namesMax} values`);
      const doc = { uid, value: text, version: (kept?.doc.version ?? 0) + 1 };
      const isKept = kept ? await store.storage.update(key, doc, kept.version) : await store.storage.insert(key, doc);
      return isKept ? { version: doc.version } : changed;
    }),
  ];
}

/** All of an account, by name. */
export async function storageOf({ storage }: ApiStore, uid: string): Promise<Record<string, unknown>> {
  const { items } = await storage.find({ index: "uid", equals: [uid], limit: pageNames });
  return Object.fromEntries(items.map(({ key, doc }) => [key.slice(uid.length + 1), JSON.parse(doc.value)]));
}

/** Of an account that is erased. */
export async function removeStorage({ storage }: ApiStore, uid: string): Promise<void> {
  const { items } = await storage.find({ index: "uid", equals: [uid], limit: pageNames });
  for (const { key } of items) await storage.remove(key);
}

async function namesOf({ storage }: ApiStore, uid: string): Promise<number> {
  return (await storage.find({ index: "uid", equals: [uid], limit: pageNames })).items.length;
}

function keyOf(uid: string, name: string): string {
  return `${uid} ${name}`;
}
