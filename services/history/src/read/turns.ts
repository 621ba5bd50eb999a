// Reads wait for their turn, users one after the other: however much one of them asks for, messages are stored meanwhile.
import { setImmediate as nextLoop } from "node:timers/promises";
import { AppError, type Caller } from "@parley/protocol";
import { openTurns } from "@parley/runtime";

/** Callers wait 10 s for an answer, and are told before that nothing will come. */
const waitMs = 5_000;
const waitingMax = 10_000;
/** One user's reads side by side: whoever asks again after each answer never waits for himself. */
const atOnceEach = 2;
/** Who asks for more than is read waits after each of these reads: so many times what it took, or for its bytes. */
const pauseTimes = 3;
const bytesPerMs = (1024 * 1024) / 1_000;
const longestPauseMs = 1_000;

export interface ReadTurns {
  /** Does `read`, which answers JSON, when it is the caller's turn; `rate_limited` when that takes too long. */
  take(caller: Caller, read: () => Promise<string | AppError>): Promise<string | AppError>;
}

/** The same for a service that asks for a user. Throws the refusal. */
export async function readFor(turns: ReadTurns, uid: string, read: () => Promise<string | AppError>): Promise<string> {
  const result = await turns.take({ uid, via: "service" }, read);
  if (result instanceof AppError) throw result;
  return result;
}

/** `atOnce`, of all users: 1 where a read keeps this process from everything else. */
export function openReadTurns({ atOnce }: { atOnce: number }): ReadTurns {
  const own = openTurns({ atOnce: Number.POSITIVE_INFINITY, atOnceEach, waitingMax, waitMs });
  const all = openTurns({ atOnce, waitingMax, waitMs });
  return {
    async take({ uid }, read) {
      const tooLate = () => new AppError("rate_limited", "too many requests wait; ask again");
      const ownDone = await own.take({ key: uid });
      if (ownDone === undefined) return tooLate();
      const done = await all.take({ key: uid });
      if (done === undefined) {
        ownDone();
        return tooLate();
      }
      // What came in meanwhile goes first.
      await nextLoop();
      const begunAt = performance.now();
      let bytes = 0;
      try {
        const page = await read();
        if (typeof page === "string") bytes = page.length;
        return page;
      } finally {
        done();
        const pauseMs = Math.max(pauseTimes * (performance.now() - begunAt), bytes / bytesPerMs);
        if (own.waitingOf(uid) > 0) setTimeout(ownDone, Math.min(pauseMs, longestPauseMs));
        else ownDone();
      }
    },
  };
}
