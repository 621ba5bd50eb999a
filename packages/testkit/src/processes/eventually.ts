// Waits for something to become true: the only way tests wait.
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Calls `check` until it neither throws nor answers `false` or `undefined`, and answers what it answered.
 * After `timeoutMs` (60,000, for a machine that has much else to do) it throws, with the last failure as the cause.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<Exclude<T, false | undefined>> {
  const timeoutMs = options.timeoutMs ?? 60_000;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let failure: unknown;
    try {
      const answer = await check();
      if (answer !== false && answer !== undefined) return answer as Exclude<T, false | undefined>;
      failure = `the last answer was ${answer}`;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) {
      const reason = failure instanceof Error ? failure.message : String(failure);
      throw new Error(`not true after ${timeoutMs} ms: ${reason}`, { cause: failure });
    }
    await sleep(options.intervalMs ?? 20);
  }
}
