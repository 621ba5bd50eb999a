// How long bytes are waited for.
import { AppError } from "@parley/protocol";

export interface Times {
  /** without a byte arriving (ms) */
  silenceMs: number;
  /** from now on to the last byte (ms) */
  totalMs: number;
  /** The reading ends when this is aborted. */
  closing: AbortSignal;
}

export interface Clock {
  /** Bytes have arrived, or it was not their sender that was waited for. */
  refresh(): void;
  stop(): void;
}

/** Calls `fail` with `unavailable`, perhaps more than once. */
export function startClock({ silenceMs, totalMs, closing }: Times, fail: (error: AppError) => void): Clock {
  const stalled = () => fail(new AppError("unavailable", `no byte arrived for ${silenceMs / 1_000} s`));
  const late = () => fail(new AppError("unavailable", "it took too long"));
  const stopped = () => fail(new AppError("unavailable", "the server stops; send it again"));
  const silence = setTimeout(stalled, silenceMs);
  const whole = setTimeout(late, totalMs);
  closing.addEventListener("abort", stopped);
  if (closing.aborted) stopped();
  return {
    refresh: () => void silence.refresh(),
    stop() {
      clearTimeout(silence);
      clearTimeout(whole);
      closing.removeEventListener("abort", stopped);
    },
  };
}

/** Throws `unavailable` into whoever reads. One promise a chunk: to race with one that lives as long as the reading would keep them all. */
export async function* inTime(source: AsyncIterable<Uint8Array>, times: Times): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let fail: (error: AppError) => void = () => undefined;
  let failed: AppError | undefined;
  const clock = startClock(times, (error) => {
    failed ??= error;
    fail(failed);
  });
  try {
    for (;;) {
      if (failed) throw failed;
      const { value, done } = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        iterator.next().then(resolve, reject);
      });
      if (done) return;
      clock.refresh();
      yield value;
      // Whoever stores may be slow; that is not the sender's silence.
      clock.refresh();
    }
  } finally {
    clock.stop();
    // Not waited for: it may be the one that is silent.
    iterator.return?.().catch(() => undefined);
  }
}
