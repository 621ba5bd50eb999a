// What a device has seen, kept so that an app starts from it, also offline: the port, and its browser engine.
import type { Message } from "@parley/protocol";
import type { KeyValueStorage } from "./outbox-store.ts";
import type { Marks } from "./receipts.ts";
import type { SyncedConversation } from "./sync.ts";

/** One conversation as the device knows it. */
export interface CachedConversation {
  conv: string;
  /** last seq that was shown */
  cursor: number;
  /** the newest messages that were shown, oldest first */
  messages: Message[];
  /** as the last sync told it */
  state?: Omit<SyncedConversation, "messages" | "more">;
  /** how far the user has read here, as this device knows it */
  marks?: Marks;
}

/** Keeps one device's conversations; `put` replaces the one of the same name. */
export interface CacheStore {
  load(): Promise<CachedConversation[]>;
  put(conversation: CachedConversation): Promise<void>;
}

/** A cache in `localStorage` (or anything like it), one key a conversation; `name` tells devices apart. */
export function storageCache(storage: KeyValueStorage, name: string): CacheStore {
  const prefix = `parley-cache/${name}/`;
  return {
    async load() {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      return keys.filter((key) => key.startsWith(prefix)).flatMap((key) => parseCached(storage.getItem(key)));
    },
    async put(conversation) {
      storage.setItem(prefix + conversation.conv, JSON.stringify(conversation));
    },
  };
}

function parseCached(text: string | null): CachedConversation[] {
  try {
    return [JSON.parse(text ?? "") as CachedConversation];
  } catch {
    // Cut off or not ours: the conversation is synced from its start.
    return [];
  }
}
