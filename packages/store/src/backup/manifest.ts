// `backup.json`: what a backup holds. Without `doneAt` it is not whole.
import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { BackupError } from "./backup-error.ts";
import { writeSynced } from "./private-files.ts";

const manifestName = "backup.json";
const version = 1;

/** `files`: every other file, by its path within the backup. */
export type Manifest = {
  kind: "parley-backup";
  version: number;
  id: string;
  /** Unix ms. */
  begunAt: number;
  doneAt: number | null;
  services: Record<string, { entries: number; documents: number }>;
  files: Record<string, { bytes: number; sha256: string }>;
};

export async function writeManifest(folder: string, content: Omit<Manifest, "kind" | "version">): Promise<void> {
  const manifest: Manifest = { kind: "parley-backup", version, ...content };
  const path = join(folder, manifestName);
  await writeSynced(`${path}.new`, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(`${path}.new`, path);
}

/** Throws a BackupError for what is not a whole backup that this Parley can read. */
export async function readManifest(folder: string): Promise<Manifest> {
  let manifest: Partial<Manifest>;
  try {
    manifest = JSON.parse(await readFile(join(folder, manifestName), "utf8"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why =
      code === "ENOENT" || code === "ENOTDIR"
        ? `there is no ${manifestName} in it`
        : `its ${manifestName} cannot be read`;
    throw new BackupError(`${folder} is not a backup: ${why}`, { cause });
  }
  if (manifest.kind !== "parley-backup") throw new BackupError(`${folder} is not a backup of Parley`);
  if (manifest.version !== version)
    throw new BackupError(
      `${folder} was made by another Parley (version ${manifest.version}, this one reads ${version})`,
    );
  if (typeof manifest.doneAt !== "number")
    throw new BackupError(`${folder} was not finished: make another backup, or take an earlier one`);
  return manifest as Manifest;
}
