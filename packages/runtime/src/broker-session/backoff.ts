// How long to wait before the next attempt to connect: exponential with full jitter, so that a herd spreads out.

const BASE_MS = 50;
const CAP_MS = 5_000;

/** `attempt` counts from 0: up to 50 ms, 100, 200 … 5,000. */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 20));
}

/** A session that was, or may have been, taken over leaves its place for at least a second. */
export function takenOverBackoffMs(attempt: number, random: () => number = Math.random): number {
  return 1_000 + backoffMs(attempt + 3, random);
}
