// A cache in a JSON lines file, for Node.
import type { Cached, CachedConversation, CacheStore } from "./cache-store.ts";
import { openKeyedFile } from "./keyed-file.ts";

type Entry = CachedConversation | { conv: ""; syncedAt: number };

/** One program at a time may use a file. */
export function fileCache(path: string): CacheStore {
  const file = openKeyedFile<Entry>(path, ({ conv }) => conv);
  return {
    async load() {
      const entries = await file.load();
      // A line that is damaged (a power cut) may have been a conversation's newest: what changed is asked for again.
      if (file.isDamaged()) await file.remove("");
      const cached: Cached = { conversations: [] };
      for (const entry of entries) {
        if (!("syncedAt" in entry)) cached.conversations.push(entry);
        else if (!file.isDamaged()) cached.syncedAt = entry.syncedAt;
      }
      return cached;
    },
    // In one write and in this order, so that what is cut off is first of all `syncedAt`.
    put: ({ conversations, syncedAt }) =>
      file.put(...conversations, ...(syncedAt === undefined ? [] : [{ conv: "" as const, syncedAt }])),
  };
}
