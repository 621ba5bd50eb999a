// A file written while more of it arrives: one write and one sync are under way, and what comes meanwhile is gathered.
import type { FileHandle } from "node:fs/promises";

/** A write for each chunk of a socket, 64 KiB, would cost more than its bytes. */
const gatherBytes = 1024 * 1024;
/** Written back while more arrives, so that the last sync is short; a disk that is slower than this holds up the sender. */
const syncEveryBytes = 16 * 1024 * 1024;

/** All of it is on the disk when it resolves; nothing is under way any more when it rejects. */
export async function writeAll(file: FileHandle, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  let writing: Promise<void> = Promise.resolve();
  let syncing: Promise<void> = Promise.resolve();
  let gathered: Uint8Array[] = [];
  let size = 0;
  let unsynced = 0;
  async function next(): Promise<void> {
    await writing;
    writing = handled(writeChunks(file, gathered, size));
    unsynced += size;
    gathered = [];
    size = 0;
    if (unsynced < syncEveryBytes) return;
    unsynced = 0;
    await Promise.all([writing, syncing]);
    syncing = handled(file.datasync());
  }
  try {
    for await (const chunk of bytes) {
      gathered.push(chunk);
      size += chunk.byteLength;
      if (size >= gatherBytes) await next();
    }
    await next();
    await Promise.all([writing, syncing]);
    await file.sync();
  } finally {
    await Promise.allSettled([writing, syncing]);
  }
}

async function writeChunks(file: FileHandle, chunks: readonly Uint8Array[], size: number): Promise<void> {
  if (size === 0) return;
  const { bytesWritten } = await file.writev(chunks);
  // A nearly full disk takes a part.
  const rest = bytesWritten < size ? Buffer.concat(chunks).subarray(bytesWritten) : Buffer.of();
  for (let at = 0; at < rest.byteLength; ) at += (await file.write(rest, at)).bytesWritten;
}

// It is awaited later; until then its failure is nobody's.
function handled(work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  return work;
}
