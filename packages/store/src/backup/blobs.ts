// The files that messages refer to, of a backup: each is written once and never changed, so they are copied while more come.
import { type Dirent, existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { blobIdPattern } from "../blobs/blob-id.ts";
import { sqlite } from "../sqlite/engine.ts";
import { copySynced, sync } from "./private-files.ts";

/** Where a service keeps its files if no BLOBS_URL says otherwise; of a SQLite store. */
export function blobsFolder(storeUrl: string, service: string): string {
  return sqlite.blobsUrl(storeUrl, service).slice("files:".length);
}

/** Copies what is not there yet; one that is removed meanwhile is left out. `tell` hears of files. */
export async function copyBlobs(from: string, to: string, tell: (done: number, of: number) => void): Promise<void> {
  const names = await blobsIn(from);
  for (const [at, name] of names.entries()) {
    tell(at, names.length);
    const target = join(to, name);
    if (existsSync(target)) continue;
    await copySynced(join(from, name), target).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  for (const folder of new Set(names.map((name) => join(to, name.slice(0, 2)))))
    if (existsSync(folder)) await sync(folder);
}

async function blobsIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const { name: shelf } of await entriesOf(folder)) {
    if (!/^[0-9a-f]{2}$/.test(shelf)) continue;
    for (const { name } of await entriesOf(join(folder, shelf)))
      if (blobIdPattern.test(name)) names.push(join(shelf, name));
  }
  return names;
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
}
