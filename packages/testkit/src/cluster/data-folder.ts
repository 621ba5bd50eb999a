// The data folder: its version, and that one cluster at a time works in it.
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { linkIfFree } from "@parley/runtime";
import { SetupError } from "../processes/setup-error.ts";
import { commandOf, startOf } from "../processes/system-process.ts";

/** The layout of the data folder that this Parley reads and writes. */
const dataVersion = 1;

/** Makes the folder ours until `release`. Throws a SetupError, with nothing touched, when it cannot be. */
export function openDataFolder(dir: string): { release(): void } {
  checkName(dir);
  checkVersion(dir);
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    mkdirSync(join(dir, "logs"), { recursive: true });
    chmodSync(join(dir, "logs"), 0o700);
    const release = lock(dir);
    writeFileSync(join(dir, "version"), `${JSON.stringify({ version: dataVersion })}\n`);
    return { release };
  } catch (cause) {
    if (cause instanceof SetupError) throw cause;
    throw new SetupError(`the data folder ${dir} cannot be used: ${reason(cause)}; set PARLEY_DIR`, { cause });
  }
}

// Lines of configuration files, logs and `run.json` name the folder: it has to be one line of text.
function checkName(dir: string): void {
  if (!/\p{Cc}/u.test(dir)) return;
  throw new SetupError(
    `the data folder ${JSON.stringify(dir)} has a line break or another control character in its path; set PARLEY_DIR`,
  );
}

function checkVersion(dir: string): void {
  const file = join(dir, "version");
  const text = readIfThere(file);
  if (text === undefined) return;
  const version = parse(text)?.version;
  if (!Number.isInteger(version)) throw new SetupError(`${file} is damaged; it should read {"version":${dataVersion}}`);
  if (version === dataVersion) return;
  const whose = Number(version) > dataVersion ? "a newer Parley" : "another Parley";
  throw new SetupError(
    `${dir} was written by ${whose} (data version ${version}, this one reads ${dataVersion}); nothing was touched: update Parley, or set PARLEY_DIR`,
  );
}

function lock(dir: string): () => void {
  const file = join(dir, "lock");
  const mine = `${JSON.stringify({ pid: process.pid, started: startOf(process.pid) })}\n`;
  const aside = `${file}.${process.pid}`;
  writeFileSync(aside, mine);
  try {
    // A link is made or refused as a whole: nobody ever reads half a lock, and of two the first wins.
    while (!linkIfFree(aside, file)) dropStaleLock(dir, file);
  } finally {
    rmSync(aside, { force: true });
  }
  return () => {
    if (readIfThere(file) === mine) rmSync(file, { force: true });
  };
}

function dropStaleLock(dir: string, file: string): void {
  const text = readIfThere(file);
  if (text === undefined) return;
  const { pid, started } = parse(text) ?? {};
  if (typeof pid === "number" && commandOf(pid) !== undefined && startOf(pid) === started) {
    throw new SetupError(`Parley is already running on ${dir} (process ${pid}): stop it first, or set PARLEY_DIR`);
  }
  // Moved before it is removed: of two that find the same stale lock, the slower must not remove the quicker one's.
  const away = `${file}.stale.${process.pid}`;
  renameSync(file, away);
  if (readIfThere(away) !== text) linkIfFree(away, file);
  rmSync(away, { force: true });
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new SetupError(`${file} cannot be read: ${reason(cause)}`, { cause });
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reason(error: unknown): string {
  const words: Record<string, string> = {
    EACCES: "permission denied",
    EPERM: "permission denied",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    ENOTDIR: "a part of its path is a file",
    EEXIST: "it is a file",
  };
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return words[code] ?? (error instanceof Error ? error.message : String(error));
}
