// Temporary folders of tests in memory, where there is room: kill -9 loses nothing there either, and fsync costs nothing.
import { spawn } from "node:child_process";
import { mkdtempSync, statfsSync } from "node:fs";
import type { Socket } from "node:net";

const place = "/dev/shm";
const leastBytes = 6 * 1024 ** 3;
// `type` of statfs
const tmpfs = 0x01021994;

/**
 * Sets TMPDIR to a new folder in memory, for this process and those it starts; the folder goes when this process ends,
 * however it ends. Where there is little memory, or TMPDIR is set already, nothing is done.
 */
export function keepTemporaryFilesInMemory(): void {
  if (process.platform !== "linux" || process.env.TMPDIR || !hasRoom()) return;
  const folder = mkdtempSync(`${place}/parley-tests-`);
  process.env.TMPDIR = folder;
  // Of a group of its own, so that Ctrl-C does not end it. Those whose tests were cut short may write for a moment more.
  const remove = 'read _; for attempt in 1 2 3 4 5; do rm -rf "$0" && exit; sleep 1; done';
  const remover = spawn("sh", ["-c", remove, folder], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  remover.unref();
  (remover.stdin as Socket).unref();
}

function hasRoom(): boolean {
  try {
    const { type, bavail, bsize } = statfsSync(place);
    return type === tmpfs && Math.min(bavail * bsize, process.availableMemory()) >= leastBytes;
  } catch {
    return false;
  }
}
