// A cache in IndexedDB, for browsers: all changes of a moment are one transaction.
import { type CacheStore, mergeCached } from "./cache-store.ts";
import { openDevice } from "./indexed-db.ts";

/** `name` tells devices apart. Several tabs may use it: what they write at once is merged. */
export function indexedCache(name: string): CacheStore {
  const database = openDevice(name);
  return {
    async load() {
      const transaction = (await database()).transaction(["conversations", "moments"]);
      const [conversations, syncedAt] = await Promise.all([
        transaction.objectStore("conversations").getAll(),
        transaction.objectStore("moments").get("syncedAt"),
      ]);
      return { conversations, ...(syncedAt !== undefined && { syncedAt }) };
    },

    async put({ conversations, syncedAt, mostMessages }) {
      const transaction = (await database()).transaction(["conversations", "moments"], "readwrite");
      const store = transaction.objectStore("conversations");
      const write = async () => {
        await Promise.all(
          conversations.map(async (next) => store.put(mergeCached(await store.get(next.conv), next, mostMessages))),
        );
        if (syncedAt !== undefined) await transaction.objectStore("moments").put(syncedAt, "syncedAt");
      };
      // A full disk may be told by a write, or only at the end.
      await Promise.all([write(), transaction.done]);
    },
  };
}
