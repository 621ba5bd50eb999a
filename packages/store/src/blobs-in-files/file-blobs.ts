// Blobs as files: written aside, synced, renamed. `FOLDER/{first two digits}/{id}`; what is not finished is in `FOLDER/partial`.
import { constants } from "node:fs";
import { mkdir, open, readdir, rename, stat, statfs, unlink } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { blobIdPattern, checkBlobId, newBlobId } from "../blobs/blob-id.ts";
import type { Blobs, ByteRange, KeptBlob, StoredBlob, SweepQuery, Swept } from "../blobs/blobs.ts";
import { hashed } from "../blobs/hashed.ts";
import { removeUnused } from "../blobs/in-pages.ts";
import { readWithErrors } from "../blobs/read-errors.ts";
import { StoreError } from "../store-error.ts";
import { asFileError } from "./file-error.ts";
import { writeAll } from "./write-all.ts";

const partialFolder = "partial";
const privateFolder = { recursive: true, mode: 0o700 } as const;

/** Throws `unavailable` where the folder cannot be made. */
export async function openFileBlobs(folder: string): Promise<Blobs> {
  const known = <T>(work: Promise<T>) =>
    work.catch((error: unknown) => {
      throw asFileError(error, folder);
    });
  await known(mkdir(join(folder, partialFolder), privateFolder));
  let closed = false;
  const begin = () => {
    if (closed) throw new StoreError("unavailable", `${folder}: the store is closed`);
  };
  const pathOf = (id: string) => {
    checkBlobId(id);
    return join(folder, id.slice(0, 2), id);
  };
  const remove = (id: string) => known(removeFile(pathOf(id)));
  return {
    async put(bytes) {
      begin();
      return known(write(folder, newBlobId(), bytes));
    },
    async restore(id, bytes) {
      begin();
      checkBlobId(id);
      return known(write(folder, id, bytes));
    },
    async *list() {
      begin();
      try {
        yield* allBlobs(folder);
      } catch (error) {
        throw asFileError(error, folder);
      }
    },
    async open(id, range) {
      begin();
      return known(read(folder, pathOf(id), range));
    },
    async remove(id) {
      begin();
      return remove(id);
    },
    async sweep(query) {
      begin();
      return known(sweep(folder, query, remove));
    },
    check: () => known(check(folder)),
    async close() {
      closed = true;
    },
  };
}

async function write(folder: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredBlob> {
  const aside = join(folder, partialFolder, id);
  const home = join(folder, id.slice(0, 2));
  const file = await open(aside, "w", 0o600);
  try {
    const passing = hashed(bytes);
    await writeAll(file, passing.bytes);
    await file.close();
    // undefined: the folder was there.
    const made = await mkdir(home, privateFolder);
    await rename(aside, join(home, id));
    await syncFolder(home);
    if (made !== undefined) await syncFolder(folder);
    return { id, ...passing.result() };
  } catch (error) {
    await file.close().catch(() => undefined);
    await Promise.all([removeFile(aside), removeFile(join(home, id))]).catch(() => undefined);
    throw error;
  }
}

async function read(folder: string, path: string, range: ByteRange | undefined): Promise<Readable | undefined> {
  const file = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (!file) return undefined;
  const stream = file.createReadStream({ ...range, highWaterMark: 256 * 1024 });
  return readWithErrors(stream, (error) => asFileError(error, folder));
}

async function sweep(folder: string, query: SweepQuery, remove: (id: string) => Promise<boolean>): Promise<Swept> {
  let partial = 0;
  for await (const { id, at } of filesIn(join(folder, partialFolder)))
    if (at < query.before && (await removeFile(join(folder, partialFolder, id)))) partial += 1;
  const blobs = await removeUnused(allBlobs(folder), query, remove);
  return { blobs, partial };
}

async function* allBlobs(folder: string): AsyncGenerator<KeptBlob> {
  for (const name of (await readdir(folder)).sort()) if (/^[0-9a-f]{2}$/.test(name)) yield* filesIn(join(folder, name));
}

// A file's time is that of its last byte: one that is being written is young.
async function* filesIn(folder: string): AsyncGenerator<KeptBlob> {
  for (const name of (await readdir(folder)).sort()) {
    if (!blobIdPattern.test(name)) continue;
    const found = await stat(join(folder, name)).catch(() => undefined);
    if (found) yield { id: name, size: found.size, at: found.mtimeMs };
  }
}

async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function check(folder: string): Promise<void> {
  await stat(join(folder, partialFolder));
  const { bavail } = await statfs(folder);
  if (bavail === 0) throw new StoreError("full", `${folder}: the disk is full; free some space`);
}
