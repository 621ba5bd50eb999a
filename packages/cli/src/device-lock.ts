// One program a device: a second one would take the first one's connection over, again and again.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Takes the lock until this process ends; or answers the id of the process that has it. */
export function lockDevice(folder: string, name: string): { heldBy?: number; release(): void } {
  const locks = join(folder, "devices");
  mkdirSync(locks, { recursive: true, mode: 0o700 });
  const path = join(locks, `${encodeURIComponent(name)}.lock`);
  const release = () => rmSync(path, { force: true });
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}`, { flag: "wx", mode: 0o600 });
      process.once("exit", release);
      return { release };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) return { heldBy: holder, release() {} };
    release();
  }
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
