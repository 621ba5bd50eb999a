// From what arrives to what is shown: each message once, in order, gaps filled from history.
import { AppError, type historyGet, type Message, type ParamsOf, type ResultOf } from "@parley/protocol";
import { createOrdering } from "./ordering.ts";

export interface InboxOptions {
  cursors?: Readonly<Record<string, number>> | undefined;
  getHistory(params: ParamsOf<typeof historyGet>): Promise<ResultOf<typeof historyGet>>;
  show(message: Message): void;
  /** how long a missing message is waited for before history is asked; default 200 */
  gapWaitMs?: number;
}

export type Inbox = ReturnType<typeof startInbox>;

const retryMs = 1_000;
const pageMessages = 500;
/** Of thousands of conversations with a gap so many are asked for at once. */
const fillsAtOnce = 16;

export function startInbox({ cursors, getHistory, show, gapWaitMs = 200 }: InboxOptions) {
  const ordering = createOrdering(cursors);
  const waiting = new Map<string, ReturnType<typeof setTimeout>>();
  // Gaps are history's business only between two syncs: a running sync fills them anyway.
  let filling = false;
  let started = false;
  const fills = fewAtOnce(fill);

  function expectFill(conv: string, inMs = gapWaitMs): void {
    if (!filling || waiting.has(conv) || !ordering.gap(conv)) return;
    waiting.set(
      conv,
      setTimeout(() => fills.add(conv), inMs),
    );
  }

  async function fill(conv: string): Promise<void> {
    const gap = ordering.gap(conv);
    let again = 0;
    if (gap && filling)
      try {
        const { messages, more } = await getHistory({ conv, after: gap.after, limit: pageMessages });
        const last = messages.at(-1)?.seq ?? 0;
        ordering.fill(conv, messages, more ? last : Math.max(last, gap.before - 1)).forEach(show);
        if (more && last === 0) again = retryMs;
      } catch (error) {
        const { code } = AppError.from(error);
        const gone = code === "not_member" || code === "not_found" || code === "forbidden";
        if (gone) ordering.fill(conv, [], gap.before - 1).forEach(show);
        else again = retryMs;
      }
    waiting.delete(conv);
    expectFill(conv, again);
  }

  return {
    cursors: ordering.cursors,
    cursor: ordering.cursor,

    /** Takes the present heads as what has been shown, the first time only: earlier messages are never shown. */
    async startFrom(readHeads: () => Promise<Record<string, number>>): Promise<void> {
      if (started) return;
      const heads = await readHeads();
      started = true;
      for (const [conv, head] of Object.entries(heads)) ordering.skip(conv, head);
    },

    /** A message came live. */
    receive(message: Message): void {
      ordering.take(message).forEach(show);
      expectFill(message.conv);
    },

    /** A message that was too large for the device to be given. */
    lacks(conv: string, seq: number): void {
      ordering.announce(conv, seq);
      expectFill(conv, 0);
    },

    /** One conversation of a sync's answer. */
    synced({ conv, messages }: { conv: string; messages: readonly Message[] }): void {
      const last = messages.at(-1);
      if (last) ordering.fill(conv, messages, last.seq).forEach(show);
    },

    /** Whether gaps may be filled now: connected and not syncing. */
    setFilling(now: boolean): void {
      filling = now;
      if (now) for (const { conv } of ordering.gaps()) expectFill(conv);
    },

    close(): void {
      filling = false;
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
      fills.clear();
    },
  };
}

/** `fill` never rejects. */
function fewAtOnce(fill: (conv: string) => Promise<void>): { add(conv: string): void; clear(): void } {
  const queued: string[] = [];
  let asked = 0;
  const next = () => {
    while (asked < fillsAtOnce) {
      const conv = queued.shift();
      if (conv === undefined) return;
      asked += 1;
      void fill(conv).finally(() => {
        asked -= 1;
        next();
      });
    }
  };
  return {
    add(conv) {
      queued.push(conv);
      next();
    },
    clear: () => void queued.splice(0),
  };
}
