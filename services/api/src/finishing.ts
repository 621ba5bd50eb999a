// What a process that died left unfinished: found and finished, now and every few seconds.
import { AppError } from "@parley/protocol";
import { hasPassed, type Logger } from "@parley/runtime";
import type { Versioned } from "@parley/store";

export interface Unfinished<Doc> {
  /** Some of them. */
  find(): Promise<{ items: readonly Versioned<Doc>[] }>;
  /** unix ms */
  begunAt(doc: Doc): number;
  finish(kept: Versioned<Doc>): Promise<void>;
  /** the event of the log line while they cannot be finished */
  trouble: string;
  log: Logger;
}

export interface Finishing {
  /** Resolves when those of an earlier process were tried. */
  first: Promise<void>;
  /** Waits for the one in hand. */
  close(): Promise<void>;
}

const finishEveryMs = 5_000;
/** Our own are being worked on until then. */
const finishAfterMs = 15_000;

/** Those of an earlier process at once, our own when they are old. */
export function startFinishing<Doc>(unfinished: Unfinished<Doc>): Finishing {
  const { find, begunAt, finish, trouble, log } = unfinished;
  const startedAt = Date.now();
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  const isDue = (since: number) => since <= startedAt || hasPassed(since, finishAfterMs);
  const troubled = (error: unknown) => log.warn({ event: trouble, reason: AppError.from(error).message });
  const turn = async () => {
    try {
      const { items } = await find();
      for (const kept of items) {
        if (closed) return;
        // One that cannot be finished keeps none of the others waiting.
        if (isDue(begunAt(kept.doc))) await finish(kept).catch(troubled);
      }
    } catch (error) {
      troubled(error);
    }
    if (!closed) timer = setTimeout(() => (running = turn()), finishEveryMs);
  };
  let running = turn();
  return {
    first: running,
    async close() {
      closed = true;
      clearTimeout(timer);
      await running;
    },
  };
}
