// Counts and hashes a stream while it passes through.
import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

export type Hashed = {
  bytes: AsyncIterable<Uint8Array>;
  /** Of what has passed; once, at its end. */
  result(): { size: number; sha256: string };
};

export function hashed(source: AsyncIterable<Uint8Array>): Hashed {
  const hash = createHash("sha256");
  let size = 0;
  async function* pass(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      hash.update(chunk);
      size += chunk.byteLength;
      yield chunk;
    }
  }
  return { bytes: pass(), result: () => ({ size, sha256: hash.digest("hex") }) };
}

/** Reads a stream to its end. */
export async function hashOf(stream: Readable): Promise<{ size: number; sha256: string }> {
  const read = hashed(stream);
  await pipeline(read.bytes, async (chunks) => {
    for await (const _ of chunks);
  });
  return read.result();
}
