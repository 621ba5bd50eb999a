// For the checker's tests: what a run breaks once it differs from a right one.
import { check } from "./check.ts";
import { noErasing } from "./erasures.ts";
import { noVanishing } from "./lives.ts";
import type { Blocking, RunRecord } from "./record.ts";

/** Changes a fresh right run and names the rules that are broken then, each once. */
export function breaking<Run extends RunRecord>(rightRun: () => Run): (change: (run: Run) => void) => string[] {
  return (change) => {
    const run = rightRun();
    change(run);
    return [...new Set(check(run).map(({ rule }) => rule))];
  };
}

/** Nobody was blocked and nothing said. */
export const noBlocking: Blocking = {
  owner: "blocker",
  sender: "blocked",
  said: [],
  blocked: [],
  open: [],
  refused: [],
  stored: new Set(),
  live: new Map(),
};

/** For runs that have none of what a test is not about. */
export const nothingElse = {
  blocking: noBlocking,
  erasing: noErasing,
  vanishing: noVanishing,
  programs: [],
  skews: [],
} satisfies Partial<RunRecord>;
