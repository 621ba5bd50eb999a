// Reads wait for their turn, users one after the other: however much one of them asks for, messages are stored meanwhile.
import { setImmediate as nextLoop } from "node:timers/promises";
import { AppError, type Caller } from "@parley/protocol";
import { openTurns } from "@parley/runtime";

/** Callers wait 10 s for an answer, and are told before that nothing will come. */
const waitMs = 5_000;
const waitingMax = 10_000;

export interface ReadTurns {
  /** Does `read` when it is the caller's turn; `rate_limited` when that takes too long. */
  take<Result>(caller: Caller, read: () => Promise<Result>): Promise<Result | AppError>;
}

/** `atOnce`: 1 where a read keeps this process from everything else. */
export function openReadTurns({ atOnce }: { atOnce: number }): ReadTurns {
  const turns = openTurns({ atOnce, waitingMax, waitMs });
  return {
    async take({ uid }, read) {
      const done = await turns.take({ key: uid });
      if (done === undefined) return new AppError("rate_limited", "too many requests wait; ask again");
      try {
        // What came in meanwhile goes first.
        await nextLoop();
        return await read();
      } finally {
        done();
      }
    },
  };
}
