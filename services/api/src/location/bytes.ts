// The bytes of a stored file at any place, a window of them in memory.
import type { Blobs } from "@parley/store";

export interface Bytes {
  /** of the file */
  size: number;
  /** Fewer where the file ends before. Throws StoreErrors, and BytesGone. */
  read(at: number, length: number): Promise<Buffer>;
  /** how many were read where the file is kept, so far: more than was asked for at once, and some of them again */
  fetched(): number;
}

/** The file was removed: what is found in no bytes says nothing about it. */
export class BytesGone extends Error {}

const windowMin = 64 * 1024;
/** Who reads on gets more at once. */
const windowMax = 1024 * 1024;

export function openBytes(blobs: Pick<Blobs, "open">, blob: string, size: number): Bytes {
  let window: { at: number; bytes: Buffer } = { at: 0, bytes: Buffer.alloc(0) };
  let next = windowMin;
  let fetched = 0;
  return {
    size,
    fetched: () => fetched,
    async read(at, length) {
      const end = Math.min(size, at + length);
      if (!(at >= 0 && at < end)) return Buffer.alloc(0);
      const windowEnd = window.at + window.bytes.length;
      if (at < window.at || end > windowEnd) {
        const goesOn = at >= window.at && at <= windowEnd + windowMin;
        next = goesOn ? Math.min(windowMax, next * 2) : windowMin;
        window = { at, bytes: await readRange(blobs, blob, at, Math.max(end, Math.min(size, at + next))) };
        fetched += window.bytes.length;
      }
      return window.bytes.subarray(at - window.at, end - window.at);
    },
  };
}

async function readRange(blobs: Pick<Blobs, "open">, blob: string, start: number, end: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const source = await blobs.open(blob, { start, end: end - 1 });
  if (!source) throw new BytesGone();
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
