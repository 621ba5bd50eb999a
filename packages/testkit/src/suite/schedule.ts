// Which test file starts next: the longest first, as many at once as the machine bears.

import { setTimeout as sleep } from "node:timers/promises";

const lookAgainMs = 2_000;

export type Job = {
  file: string;
  /** How long it takes, about. */
  seconds: number;
  lane: Lane;
};

/** Files of one kind. */
export type Lane = {
  /** So many of them at once. */
  atOnce: number;
  /** What one of them takes of the machine. */
  weight: number;
};

/**
 * Runs them all, the longest first. What runs at once weighs `capacity` at most, which is asked for each time; a heavy one whose turn it is waits for
 * room, and nobody overtakes it.
 */
export async function runLongestFirst(
  jobs: Job[],
  capacity: () => number,
  run: (job: Job) => Promise<void>,
): Promise<void> {
  const waiting = jobs.toSorted((a, b) => b.seconds - a.seconds || a.file.localeCompare(b.file));
  const running = new Map<Job, Promise<void>>();
  while (waiting.length > 0 || running.size > 0) {
    const next = nextOf(waiting, [...running.keys()], capacity());
    if (next === undefined) {
      // Room may come by itself, too: `capacity` says.
      await Promise.race([...running.values(), sleep(lookAgainMs, undefined, { ref: false })]);
      continue;
    }
    waiting.splice(waiting.indexOf(next), 1);
    running.set(
      next,
      run(next).finally(() => running.delete(next)),
    );
  }
}

function nextOf(waiting: Job[], running: Job[], capacity: number): Job | undefined {
  const next = waiting.find(({ lane }) => running.filter((one) => one.lane === lane).length < lane.atOnce);
  const weight = running.reduce((sum, { lane }) => sum + lane.weight, 0);
  // Alone even what is too heavy runs.
  return next && (running.length === 0 || weight + next.lane.weight <= capacity) ? next : undefined;
}
