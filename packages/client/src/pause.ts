// A moment's rest that may be given up.

/** The longest that timers take. */
const longestMs = 2 ** 31 - 1;

/** Throws the signal's reason. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const givenUp = () => reject(signal?.reason);
  if (signal?.aborted) givenUp();
  const timer = setTimeout(resolve, Math.min(ms, longestMs));
  signal?.addEventListener("abort", givenUp);
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", givenUp);
  });
}
