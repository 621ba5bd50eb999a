// One program a device: a second one would take the first one's connection over, again and again.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linkIfFree } from "@parley/runtime";

/** Takes the lock until this process ends; or answers the id of the process that has it. */
export function lockDevice(folder: string, name: string): { heldBy?: number; release(): void } {
  const locks = join(folder, "devices");
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  const path = join(locks, `${encodeURIComponent(name)}.lock`);
  const release = () => {
    process.off("exit", release);
    rmSync(path, { force: true });
  };
  while (!take(path)) {
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) return { heldBy: holder, release() {} };
    dropStale(path);
  }
  process.once("exit", release);
  return { release };
}

// A link is made or refused as a whole: nobody ever reads a lock without its holder.
function take(path: string): boolean {
  const aside = `${path}.new.${process.pid}`;
  writeFileSync(aside, `${process.pid}`, { mode: 0o600 });
  try {
    return linkIfFree(aside, path);
  } finally {
    rmSync(aside, { force: true });
  }
}

// Moved before it is removed: of two that find the same stale lock, the slower must not remove the quicker one's new one.
function dropStale(path: string): void {
  const away = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, away);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const holder = readHolder(away);
  if (holder !== undefined && isAlive(holder)) linkIfFree(away, path);
  rmSync(away, { force: true });
}

function readHolder(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
