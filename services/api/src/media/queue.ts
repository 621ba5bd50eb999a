// Documents of bytes with which something is to be done: some at a time. What waits is in the store, so that whoever dies, another one does it.
import type { Logger } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import type { ApiStore, ContentDoc } from "../store.ts";

export interface QueueParts {
  store: Pick<ApiStore, "contents">;
  /** an index of contents by when they are due */
  index: "due" | "scan";
  /** at once; 0: nothing is done */
  atOnce: number;
  /** nobody else can have the store: what waits was left by one that died */
  isAlone: boolean;
  /** unix ms: what is due later is not for this one; when that time has come and nothing waits it ends */
  dueUntil?: number;
  /** Answers for how long nothing more is to be begun (ms), if so. */
  work(item: Versioned<ContentDoc>, closing: AbortSignal): Promise<number | undefined>;
  log: Logger;
}

export interface Queue {
  /** Something waits. */
  wake(): void;
  /** 100 at most, as last seen */
  waiting(): number;
  close(): Promise<void>;
}

const lookEveryMs = 5_000;
const afterFailureMs = 1_000;
/** Whoever took one is believed dead after it; longer than it may take: to read it, and all that is done with it. */
export const leaseMs = 10 * 60_000;
/** To read one, from where files are kept. */
export const readMs = 5 * 60_000;

export function startQueue({ store, index, atOnce, isAlone, dueUntil = Infinity, work, log }: QueueParts): Queue {
  const stopping = new AbortController();
  const inHand = new Map<string, Promise<void>>();
  let isFirst = isAlone;
  let waiting = 0;
  let pause: NodeJS.Timeout | undefined;
  let turning: Promise<void> = Promise.resolve();
  const wake = () => {
    if (atOnce > 0 && !stopping.signal.aborted) turning = turning.then(turn);
  };
  const rest = (ms: number) => {
    if (stopping.signal.aborted) return;
    clearTimeout(pause);
    pause = setTimeout(() => {
      pause = undefined;
      wake();
    }, ms);
  };
  const turn = async () => {
    if (stopping.signal.aborted || inHand.size >= atOnce || pause !== undefined) return;
    try {
      const now = Date.now();
      const to = Math.min(dueUntil, now + (isFirst ? leaseMs : 0));
      const { items } = await store.contents.find({ index, to, limit: 100 });
      isFirst = false;
      waiting = items.length;
      if (now > dueUntil && waiting === 0) clearInterval(timer);
      for (const item of items) {
        if (inHand.size >= atOnce || stopping.signal.aborted) return;
        if (!inHand.has(item.key)) begin(item);
      }
    } catch (error) {
      log.warn({ event: "files_not_read", index, reason: String(error) });
    }
  };
  const begin = (item: Versioned<ContentDoc>) => {
    const done = work(item, stopping.signal)
      .then((ms) => {
        if (ms !== undefined) rest(ms);
      })
      .catch((err: unknown) => {
        rest(afterFailureMs);
        if (!stopping.signal.aborted)
          log.warn({ event: "file_not_done", index, sha256: item.key, reason: String(err) });
      })
      .finally(() => {
        inHand.delete(item.key);
        wake();
      });
    inHand.set(item.key, done);
  };
  const timer = setInterval(wake, lookEveryMs);
  wake();
  return {
    wake,
    waiting: () => waiting,
    async close() {
      stopping.abort();
      clearInterval(timer);
      clearTimeout(pause);
      await turning;
      await Promise.all(inHand.values());
    },
  };
}
