// A file for other programs to read: it has no name, so that nothing is left of it whoever dies.
import { randomUUID } from "node:crypto";
import { type FileHandle, open, readdir, stat, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Pass } from "@parley/runtime";

const prefix = "parley-media-";
/** It has a name for a moment, in which nothing is in it. */
const namedForMs = 60_000;

/** To be closed by the caller. Throws what the source throws. */
export async function stage(source: AsyncIterable<Uint8Array>, pass: Pass): Promise<FileHandle> {
  const path = join(tmpdir(), `${prefix}${randomUUID()}`);
  const file = await open(path, "wx+", 0o600);
  try {
    pass("before-unnamed");
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

/** The empty files of those who died while one still had its name. Others on this machine may be making theirs. */
export async function removeStaged(): Promise<void> {
  const names = (await readdir(tmpdir())).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    const path = join(tmpdir(), name);
    const age = await stat(path).then(({ mtimeMs }) => Date.now() - mtimeMs, () => 0); // biome-ignore format: one line
    if (age > namedForMs) await unlink(path).catch(() => undefined);
  }
}
