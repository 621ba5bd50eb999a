// What a device has seen, kept so that an app starts from it, also offline: the port, and its engine in localStorage.
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
  /** when that sync was made, in the server's time (unix ms): which of two states is the newer one */
  stateAt?: number;
  /** how far the user has read here, as this device knows it */
  marks?: Marks;
}

export interface Cached {
  conversations: CachedConversation[];
  /** what changed before this moment, in the server's time (unix ms), is in `conversations` */
  syncedAt?: number;
}

export interface CacheChanges extends Cached {
  /** messages to keep of each conversation, the newest ones */
  mostMessages: number;
}

/**
 * Keeps one device's conversations. `put` replaces those of the same name; it never keeps `syncedAt` without all of
 * them, and rejects when it could not keep everything: then the same comes again with the next change.
 */
export interface CacheStore {
  load(): Promise<Cached>;
  put(changes: CacheChanges): Promise<void>;
}

/**
 * A cache in `localStorage` (or anything like it), one key a conversation; `name` tells devices apart. What
 * several tabs write is merged, though not in a transaction, and there is little room (5 MB a site, commonly):
 * `indexedCache` has both.
 */
export function storageCache(storage: KeyValueStorage, name: string): CacheStore {
  const prefix = `parley-cache/${name}/`;
  const syncedAtKey = `parley-cache-synced/${name}`;
  const read = (key: string) => parseCached(storage.getItem(key));
  return {
    async load() {
      const keys = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? "");
      const conversations = keys.filter((key) => key.startsWith(prefix)).flatMap((key) => read(key) ?? []);
      const syncedAt = Number(storage.getItem(syncedAtKey) ?? Number.NaN);
      return { conversations, ...(Number.isSafeInteger(syncedAt) && { syncedAt }) };
    },
    async put({ conversations, syncedAt, mostMessages }) {
      for (const next of conversations) {
        const key = prefix + next.conv;
        storage.setItem(key, JSON.stringify(mergeCached(read(key), next, mostMessages)));
      }
      if (syncedAt !== undefined) storage.setItem(syncedAtKey, String(syncedAt));
    },
  };
}

/** What two tabs know of one conversation, as one: nothing that either of them has shown or was told is lost. */
export function mergeCached(
  kept: CachedConversation | undefined,
  next: CachedConversation,
  mostMessages: number,
): CachedConversation {
  if (!kept) return next;
  const bySeq = new Map([...kept.messages.filter(isWhole), ...next.messages].map((message) => [message.seq, message]));
  // What one of the two has forgotten, both have.
  for (const message of kept.messages)
    if (isWhole(message) && message.content.type === "erased") bySeq.set(message.seq, message);
  const messages = [...bySeq.values()].sort((one, other) => one.seq - other.seq).slice(-mostMessages);
  const { state, stateAt } = !next.state || (kept.stateAt ?? 0) > (next.stateAt ?? 0) ? kept : next;
  return {
    conv: next.conv,
    cursor: Math.max(kept.cursor, next.cursor),
    messages,
    ...(state && { state }),
    ...(stateAt !== undefined && { stateAt }),
    ...((kept.marks ?? next.marks) && { marks: furthest(kept.marks, next.marks) }),
  };
}

function furthest(one: Marks = {}, other: Marks = {}): Marks {
  const marks: Marks = {};
  for (const name of ["delivered", "read"] as const) {
    const seq = Math.max(one[name] ?? 0, other[name] ?? 0);
    if (seq > 0) marks[name] = seq;
  }
  return marks;
}

/** Undefined for what is cut off or not ours: that conversation is synced from its start. */
function parseCached(text: string | null): CachedConversation | undefined {
  try {
    const conversation = JSON.parse(text ?? "") as CachedConversation;
    return isCached(conversation) ? conversation : undefined;
  } catch {
    return undefined;
  }
}

/** Whether it is a message: what a store gives back may be anything. */
export function isWhole(kept: Message): boolean {
  return Number.isSafeInteger(kept?.seq) && typeof kept.content?.type === "string";
}

/** Whether what was kept can be started from. */
export function isCached(kept: CachedConversation): boolean {
  const { conv, cursor, messages } = kept ?? {};
  return typeof conv === "string" && Number.isSafeInteger(cursor) && cursor >= 0 && Array.isArray(messages);
}
