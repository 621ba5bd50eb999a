// How long to wait before trying again: exponential with jitter, so that many do not come back at once.

export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/** Milliseconds to wait before attempt `attempt` (1, 2, 3 …): random between half the base and the grown base. */
export function backoffMs(attempt: number, backoff: Backoff, random: () => number = Math.random): number {
  const leastMs = backoff.baseMs / 2;
  return leastMs + random() * (doubledMs(attempt, backoff) - leastMs);
}

/** The base, doubled at each attempt after the first, up to the most: for who waits alone and needs no jitter. */
export function doubledMs(attempt: number, { baseMs, maxMs }: Backoff): number {
  return Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
}
