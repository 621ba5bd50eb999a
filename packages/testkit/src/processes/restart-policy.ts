// How long to wait before a process that died is started again, and when to say that it does not get up.

import { doubledMs } from "@parley/protocol";

/** One life of a process; times in ms of one clock. */
export type Life = { startedAt: number; endedAt: number; wasReady: boolean; code: number | null };

const waits = { baseMs: 100, maxMs: 5_000 };
const steadyAfterMs = 10_000;
const deathLimit = 5;
const deathWindowMs = 20_000;
// sysexits.h, EX_CONFIG: a setting is wrong, and starting again will not mend it.
export const configError = 78;

/**
 * Waits 100 ms, doubling to 5 s, from the start again after a life of 10 s. `hopeless` is said at the fifth death
 * within 20 s of a process that was never ready, and at every end by a wrong setting.
 */
export function restartPolicy(): { after(life: Life): { waitMs: number; hopeless: boolean } } {
  let attempt = 0;
  let deaths: number[] = [];
  return {
    after({ startedAt, endedAt, wasReady, code }) {
      if (endedAt - startedAt >= steadyAfterMs) attempt = 0;
      attempt += 1;
      deaths = wasReady ? [] : [...deaths.filter((at) => at > endedAt - deathWindowMs), endedAt];
      const hopeless = code === configError || deaths.length >= deathLimit;
      if (hopeless) deaths = [];
      return { waitMs: doubledMs(attempt, waits), hopeless };
    },
  };
}
