/**
 * Have `ms` passed since `at` (unix ms)? A time that lies ahead was noted by a clock that has been set back since, by which it would
 * last as long again: it counts as if it lay as far behind.
 */
export function hasPassed(at: number, ms: number): boolean {
  return Math.abs(Date.now() - at) >= ms;
}
