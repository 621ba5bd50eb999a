// Bytes as others get them: some are replaced while they pass, so that size, ranges and memory stay as they are.
import { pipeline, type Readable, Transform } from "node:stream";
import type { Change } from "./walk.ts";

/** `start`: position in the file of the chunk's first byte. The chunk itself is left as it is. */
export function changed(chunk: Buffer, start: number, changes: readonly Change[]): Buffer {
  const end = start + chunk.length;
  const touching = changes.filter(({ at, length }) => at < end && at + length > start);
  if (touching.length === 0) return chunk;
  const copy = Buffer.from(chunk);
  for (const { at, length, byte } of touching)
    copy.fill(byte, Math.max(0, at - start), Math.min(chunk.length, at + length - start));
  return copy;
}

/** `start`: position in the file of the stream's first byte. Whichever of both ends, the other one does. */
export function changedStream(source: Readable, start: number, changes: readonly Change[]): Readable {
  if (changes.length === 0) return source;
  let position = start;
  const transform = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = changed(chunk, position, changes);
      position += chunk.length;
      done(null, bytes);
    },
  });
  // Whoever reads is told by the stream itself.
  return pipeline(source, transform, () => undefined);
}
