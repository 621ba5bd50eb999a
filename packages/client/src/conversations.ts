// The conversations as this device knows them: kept in its cache, some while after each change, all of one at once.
import { AppError, type ConversationNotice, type Message } from "@parley/protocol";
import { type CachedConversation, type CacheStore, isCached, isWhole } from "./cache-store.ts";
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
  /** the store refuses changes: told once until it takes them again */
  onTrouble?: ((error: AppError) => void) | undefined;
}

export type Conversations = ReturnType<typeof startConversations>;

/**
 * Cursors and `syncedAt` are kept with or after what they stand for: after a kill a message is rather shown twice than
 * never, and a change rather asked for twice.
 */
export function startConversations(options: ConversationsOptions) {
  const { store, kept = [], messages: most = 50, keepAfterMs = 200, onTrouble } = options;
  const all = startFrom(kept);
  const changed = new Set<CachedConversation>();
  let syncedAt: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let writing: Promise<void> = Promise.resolve();
  let refused = false;

  function change(conv: string): CachedConversation {
    const conversation = all.get(conv) ?? { conv, cursor: 0, messages: [] };
    all.set(conv, conversation);
    if (store) changed.add(conversation);
    flushSoon();
    return conversation;
  }

  function living<Known extends CachedConversation | undefined>(conversation: Known): Known {
    if (conversation && forgetOver(conversation)) change(conversation.conv);
    return conversation;
  }

  function flushSoon(): void {
    if (store) timer ??= setTimeout(flush, keepAfterMs);
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    // One after the other: a later one must not be kept where an earlier one is not.
    writing = writing.then(write);
    return writing;
  }

  async function write(): Promise<void> {
    const conversations = [...changed];
    const at = syncedAt;
    if (!store || (conversations.length === 0 && at === undefined)) return;
    changed.clear();
    syncedAt = undefined;
    try {
      await store.put({ conversations, mostMessages: most, ...(at !== undefined && { syncedAt: at }) });
      refused = false;
    } catch (cause) {
      // It comes again with the next change. Until it is kept it costs a sync at the next start, and nothing else.
      for (const conversation of conversations) changed.add(conversation);
      syncedAt ??= at;
      if (!refused) onTrouble?.(storeTrouble("cache", cause));
      refused = true;
    }
  }

  return {
    list: (): CachedConversation[] => [...all.values()].map(living),
    find: (conv: string): CachedConversation | undefined => living(all.get(conv)),

    shown(message: Message): void {
      const conversation = change(message.conv);
      conversation.cursor = Math.max(conversation.cursor, message.seq);
      if (!store) return;
      if (message.content.type === "recall") forget(conversation, (message.content as { seq?: number }).seq);
      conversation.messages.push(message);
      if (conversation.messages.length > most) conversation.messages.shift();
    },

    /** `at`: when the sync was made. */
    synced({ conv, messages: _, more: _more, ...rest }: SyncedConversation, cursor: number, at?: number): void {
      const conversation = change(conv);
      conversation.cursor = Math.max(conversation.cursor, cursor);
      conversation.state = { conv, ...rest };
      if (at !== undefined) conversation.stateAt = at;
    },

    /** All that changed before `at` was told by `synced`. */
    syncedAll(at: number): void {
      syncedAt = at;
      flushSoon();
    },

    marked(conv: string, marks: Marks): void {
      change(conv).marks = { ...marks };
    },

    /** What the user changed of it on some device. */
    owned({ conv, own }: ConversationNotice): void {
      const { state } = change(conv);
      if (state) state.own = own;
    },

    /** Keeps what has changed, and waits until it is kept. */
    close: flush,
  };
}

function startFrom(kept: readonly CachedConversation[]): Map<string, CachedConversation> {
  const whole = kept.filter(isCached).map((known) => ({ ...known, messages: known.messages.filter(isWhole) }));
  return new Map(whole.map((known) => [known.conv, known]));
}

// What was taken back, or has disappeared: nothing of it is kept, neither in its edits.
function forget({ messages }: CachedConversation, seq: number | undefined): void {
  const isOfIt = ({ seq: own, content }: Message) =>
    own === seq || (content.type === "edit" && (content as { seq?: number }).seq === seq);
  for (const [at, message] of messages.entries()) if (isOfIt(message)) messages[at] = emptied(message);
}

// Messages whose time is over are forgotten at the next look, also where no server tells of it. True if there were any.
function forgetOver(conversation: CachedConversation): boolean {
  const now = Date.now();
  const isOver = ({ content, expiresAt = now + 1 }: Message) => expiresAt <= now && content.type !== "erased";
  const over = conversation.messages.filter(isOver);
  for (const { seq } of over) forget(conversation, seq);
  return over.length > 0;
}

function emptied({ conv, seq, from, device, ts, id, to }: Message): Message {
  return { conv, seq, from, device, ts, id, to, content: { type: "erased" } };
}

/** What the application hears of a store that refuses: the SDK goes on in memory. */
export function storeTrouble(store: "cache" | "outbox", cause: unknown): AppError {
  const { name, message } = cause instanceof Error ? cause : new Error(String(cause));
  const why = `the ${store} cannot be kept and is in memory only: ${name === "Error" ? "" : `${name}: `}${message}`;
  return new AppError("unavailable", why, { cause, details: { reason: store } });
}
