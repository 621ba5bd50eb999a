// A stream whose errors are the port's.
import { Readable } from "node:stream";

export function readWithErrors(stream: Readable, translate: (error: unknown) => unknown): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
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
