// A cache in a JSON lines file, for Node.
import type { CachedConversation, CacheStore } from "./cache-store.ts";
import { openKeyedFile } from "./keyed-file.ts";

/** One program at a time may use a file. */
export function fileCache(path: string): CacheStore {
  return openKeyedFile<CachedConversation>(path, ({ conv }) => conv);
}
