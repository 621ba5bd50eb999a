// How long to wait before trying again: exponential with jitter, so that many do not come back at once.

export interface Backoff {
  baseMs: number;
  maxMs: number;
}

/** Milliseconds to wait before attempt `attempt` (1, 2, 3 …): random between half the base and the grown base. */
export function backoffMs(attempt: number, { baseMs, maxMs }: Backoff, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return baseMs / 2 + random() * (ceiling - baseMs / 2);
}
