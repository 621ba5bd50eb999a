// The conversations as this device knows them: kept in its cache, some while after each change, all of one at once.
import type { Message } from "@parley/protocol";
import type { CachedConversation, CacheStore } from "./cache-store.ts";
import type { Marks } from "./receipts.ts";
import type { SyncedConversation } from "./sync.ts";

export interface ConversationsOptions {
  store?: CacheStore | undefined;
  /** what the store had kept from before */
  kept?: readonly CachedConversation[] | undefined;
  /** messages kept a conversation, the newest ones; default 50 */
  messages?: number | undefined;
  /** a change is kept after this long, with all that came meanwhile; default 200 */
  keepAfterMs?: number;
}

export type Conversations = ReturnType<typeof startConversations>;

/** Cursors are kept after what they stand for was shown: after a kill a message is rather shown twice than never. */
export function startConversations({ store, kept = [], messages: most = 50, keepAfterMs = 200 }: ConversationsOptions) {
  const all = new Map(kept.filter(isWhole).map((conversation) => [conversation.conv, conversation]));
  const changed = new Set<CachedConversation>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();

  function change(conv: string): CachedConversation {
    const conversation = all.get(conv) ?? { conv, cursor: 0, messages: [] };
    all.set(conv, conversation);
    if (store) {
      changed.add(conversation);
      timer ??= setTimeout(flush, keepAfterMs);
    }
    return conversation;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const writes = [...changed].map((conversation) => store?.put(conversation));
    changed.clear();
    // What could not be kept costs a sync at the next start, and nothing else.
    writing = Promise.allSettled([writing, ...writes]).then(() => {});
    return writing;
  }

  return {
    list: (): CachedConversation[] => [...all.values()],
    find: (conv: string): CachedConversation | undefined => all.get(conv),

    shown(message: Message): void {
      const conversation = change(message.conv);
      conversation.cursor = Math.max(conversation.cursor, message.seq);
      if (!store) return;
      conversation.messages.push(message);
      if (conversation.messages.length > most) conversation.messages.shift();
    },

    synced({ conv, messages: _, more: _more, ...rest }: SyncedConversation, cursor: number): void {
      const conversation = change(conv);
      conversation.cursor = Math.max(conversation.cursor, cursor);
      conversation.state = { conv, ...rest };
    },

    marked(conv: string, marks: Marks): void {
      change(conv).marks = { ...marks };
    },

    /** Keeps what has changed, and waits until it is kept. */
    close: flush,
  };
}

function isWhole({ conv, cursor, messages }: CachedConversation): boolean {
  return typeof conv === "string" && Number.isSafeInteger(cursor) && cursor >= 0 && Array.isArray(messages);
}
