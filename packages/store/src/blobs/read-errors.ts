// A stream whose errors are the port's, and which does not wait for ever.
import { Readable } from "node:stream";
import { StoreError } from "../store-error.ts";

/** A place that sends nothing of a blob for so long is given up (ms). */
const silentMs = 30_000;

export function readWithErrors(
  stream: Readable,
  translate: (error: unknown) => unknown,
  silenceMs = silentMs,
): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* untilSilent(stream, silenceMs);
    } catch (error) {
      throw translate(error);
    }
  }
  // Not in object mode: what waits is counted in bytes.
  const read = Readable.from(chunks(), { objectMode: false, highWaterMark: 256 * 1024 });
  // Also one that was destroyed before it was read.
  read.once("close", () => stream.destroy());
  return read;
}

async function* untilSilent(stream: Readable, silenceMs: number): AsyncGenerator<Uint8Array> {
  const iterator = stream[Symbol.asyncIterator]();
  let fail: ((error: StoreError) => void) | undefined;
  const clock = setTimeout(() => {
    fail?.(new StoreError("unavailable", `no byte of the file arrived for ${silenceMs / 1_000} s`));
  }, silenceMs);
  try {
    for (;;) {
      const { value, done } = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        iterator.next().then(resolve, reject);
      });
      if (done) return;
      // A slow reader is not a silent place.
      fail = undefined;
      yield value;
      clock.refresh();
    }
  } finally {
    clearTimeout(clock);
    stream.destroy();
  }
}
