// Files of a backup: 0600, in folders of 0700, on disk before anybody relies on them.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../make-folder.ts";
import { BackupError } from "./backup-error.ts";

export type CopiedFile = { bytes: number; sha256: string };

/** Throws a BackupError that names the folder. */
export function makeOrRefuse(folder: string): void {
  try {
    makeFolder(folder);
  } catch (cause) {
    throw new BackupError(`the folder ${folder} cannot be made: ${(cause as Error).message}`, { cause });
  }
}

export async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, "w", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Also a folder, whose entries are then on disk. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

export async function copySynced(from: string, to: string): Promise<void> {
  makeFolder(dirname(to));
  await copyFile(from, to);
  await chmod(to, 0o600);
  await sync(to);
}

export async function digest(path: string): Promise<CopiedFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1_048_576 })) {
    hash.update(chunk as Buffer);
    bytes += (chunk as Buffer).length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** Copies the plain files of a folder; answers their names. */
export async function copySecrets(from: string, to: string): Promise<string[]> {
  makeFolder(to);
  const names = (await readdir(from, { withFileTypes: true })).filter((one) => one.isFile()).map(({ name }) => name);
  for (const name of names) await copySynced(join(from, name), join(to, name));
  await sync(to);
  return names.sort();
}

/** The paths of all files in a folder, relative to it. */
export async function listFiles(folder: string): Promise<string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return files.map((path) => path.slice(folder.length + 1)).sort();
}
