// Puts a backup into a new data folder: copied aside, compared and opened, and in its place by one rename or not at all.
import { randomBytes } from "node:crypto";
import { readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BackupError } from "./backup-error.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import { copySynced, digest, makeOrRefuse, sync } from "./private-files.ts";
import { verifyService } from "./verify.ts";

/**
 * `tell` hears of bytes. Throws a BackupError, with `target` as it was: for a backup that is not whole, a file that is
 * not as it was written, or a target with anything in it.
 */
export async function putBack(
  from: string,
  target: string,
  tell: (done: number, of: number) => void = () => {},
): Promise<Manifest> {
  const manifest = await readManifest(from);
  await refuseUsed(target);
  const parent = dirname(target);
  makeOrRefuse(parent);
  const prefix = `${basename(target)}.restoring-`;
  // Of a restore that was killed.
  for (const name of await readdir(parent))
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
  const aside = join(parent, `${prefix}${randomBytes(4).toString("hex")}`);
  try {
    await copyAll(from, aside, manifest, tell);
    for (const [service, { entries, documents }] of Object.entries(manifest.services)) {
      const found = await verifyService(join(aside, "data", service));
      if (found.entries === entries && found.documents === documents) continue;
      throw new BackupError(`${from}: ${service} holds other counts than were written down; take another backup`);
    }
    await rename(aside, target);
    await sync(parent);
    return manifest;
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    throw error;
  }
}

async function refuseUsed(target: string): Promise<void> {
  const found = await readdir(target).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === "ENOENT") return [];
    throw new BackupError(`${target} cannot be used: ${error.message}`, { cause: error });
  });
  if (found.length === 0) return;
  const running = found.includes("run.json") ? " (Parley runs there: stop it first)" : "";
  throw new BackupError(
    `${target} is not empty${running}: a backup is put into a new folder; move this one away, or set PARLEY_DIR to another`,
  );
}

async function copyAll(
  from: string,
  to: string,
  { files }: Manifest,
  tell: (done: number, of: number) => void,
): Promise<void> {
  const of = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  makeOrRefuse(to);
  for (const [path, { bytes, sha256 }] of Object.entries(files)) {
    const copy = join(to, path);
    await copySynced(join(from, path), copy).catch((cause: Error) => {
      throw new BackupError(`${join(from, path)} cannot be copied: ${cause.message}`, { cause });
    });
    const found = await digest(copy);
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new BackupError(`${join(from, path)} is not as it was written: take another backup`);
    await sync(dirname(copy));
    done += bytes;
    tell(done, of);
  }
}
