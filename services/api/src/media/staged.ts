// A file for other programs to read: it has no name, so that nothing is left of it whoever dies.
import { randomUUID } from "node:crypto";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** To be closed by the caller. Throws what the source throws. */
export async function stage(source: AsyncIterable<Uint8Array>): Promise<FileHandle> {
  const path = join(tmpdir(), `parley-media-${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    await unlink(path);
    let at = 0;
    // At places, so that whoever inherits the file begins at its start.
    for await (const chunk of source)
      for (let done = 0; done < chunk.byteLength; ) {
        const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done, at);
        done += bytesWritten;
        at += bytesWritten;
      }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
