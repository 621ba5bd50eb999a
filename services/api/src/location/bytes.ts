// The bytes of a stored file at any place, a window of them in memory.
import type { Blobs } from "@parley/store";

export interface Bytes {
  /** of the file */
  size: number;
  /** Fewer where the file ends before. Throws StoreErrors. */
  read(at: number, length: number): Promise<Buffer>;
}

const windowMin = 64 * 1024;
/** Who reads on gets more at once. */
const windowMax = 1024 * 1024;

export function openBytes(blobs: Pick<Blobs, "open">, blob: string, size: number): Bytes {
  let window: { at: number; bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) };
  let next = windowMin;
  return {
    size,
    async read(at, length) {
      const end = Math.min(size, at + length);
      if (!(at >= 0 && at < end)) return Buffer.alloc(0);
      const windowEnd = window.at + window.bytes.length;
      if (at < window.at || end > windowEnd) {
        const goesOn = at >= window.at && at <= windowEnd + windowMin;
        next = goesOn ? Math.min(windowMax, next * 2) : windowMin;
        window = { at, bytes: await readRange(blobs, blob, at, Math.max(end, Math.min(size, at + next))) };
      }
      return window.bytes.subarray(at - window.at, end - window.at);
    },
  };
}

async function readRange(blobs: Pick<Blobs, "open">, blob: string, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await blobs.open(blob, { start, end: end - 1 })) ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}
