// What history answers to push, as any replica.
import { AppError, type PushStateRequest, subjects } from "@parley/protocol";
import { openTurns } from "@parley/runtime";
import type { Serve } from "./answers-for-search.ts";
import { pushState } from "./read/push/push-state.ts";
import type { Reading } from "./read/reading.ts";

const waitingMax = 1_000;
const waitMs = 5_000;

/** `readsAtOnce`: of these requests, beside those of people. */
export function servePush<Served>(reading: Reading & { readsAtOnce: number }, serve: Serve<Served>): Served[] {
  const turns = openTurns({ atOnce: reading.readsAtOnce, waitingMax, waitMs });
  return [
    serve(subjects.pushState, async (asked: PushStateRequest) => {
      const done = await turns.take();
      if (done === undefined) throw new AppError("rate_limited", "too many requests wait; ask again");
      try {
        return await pushState(reading, asked);
      } finally {
        done();
      }
    }),
  ];
}
