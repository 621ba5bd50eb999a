// What only one process of this machine does at a time: what others have done meanwhile need not be done again.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { eventually } from "./eventually.ts";

/** Waits for its turn, `limitMs` at most. `lock` is a file that is there while somebody is at work, with its pid in it. */
export async function oneAtATime<T>(lock: string, limitMs: number, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lock), { recursive: true });
  await eventually(() => take(lock), { timeoutMs: limitMs, intervalMs: 100 });
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function take(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const holder = Number(await readFile(lock, "utf8").catch(() => ""));
  if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
