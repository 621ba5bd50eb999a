// One program on one file, within limits of time, memory and output; beyond them it is killed, and nothing else is harmed.
import { type ChildProcess, fork, spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import type { Failure } from "./made.ts";

export interface RunLimits {
  timeMs: number;
  /** of RAM; watched where there is /proc */
  memoryBytes: number;
  closing: AbortSignal;
}

export interface Run {
  /** a program of the PATH, or our own worker */
  program: "worker" | "ffmpeg" | "ffprobe";
  args: readonly string[];
  /** what it has as stdin */
  fd: number;
  onOutput(chunk: Buffer): void;
}

const worker = fileURLToPath(new URL("worker/main.ts", import.meta.url));
const watchEveryMs = 50;
const pageBytes = 4_096;
/** No setting or secret of ours is told to them. */
const env = { PATH: "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin" };

/** Resolves when it is gone: undefined when it ended well; `died`: by itself, with an error. */
export async function run(
  { program, args, fd, onOutput }: Run,
  { timeMs, memoryBytes, closing }: RunLimits,
): Promise<Failure | "died" | undefined> {
  closing.throwIfAborted();
  const child =
    program === "worker"
      ? fork(worker, [...args], { env, execArgv: [], stdio: [fd, "pipe", "ignore", "ipc"] })
      : spawn(program, [...args], { env, stdio: [fd, "pipe", "ignore"] });
  let why: Failure | undefined;
  const end = (reason: Failure) => {
    why ??= reason;
    child.kill("SIGKILL");
  };
  const late = setTimeout(() => end("too_slow"), timeMs);
  const watch = setInterval(async () => {
    if ((await memoryOf(child)) > memoryBytes) end("too_large");
  }, watchEveryMs);
  const stop = () => child.kill("SIGKILL");
  closing.addEventListener("abort", stop);
  makeModest(child);
  child.stdout?.on("data", onOutput);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    closing.throwIfAborted();
    return why ?? (code === 0 ? undefined : "died");
  } finally {
    clearTimeout(late);
    clearInterval(watch);
    closing.removeEventListener("abort", stop);
  }
}

async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, "utf8").catch(() => "");
  return Number(text.split(" ")[1] ?? 0) * pageBytes;
}

// Messages go first, and where memory ends this is what the system ends.
function makeModest({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  writeFile(`/proc/${pid}/oom_score_adj`, "1000").catch(() => undefined);
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already.
  }
}

/** Can this program be run here? */
export async function isThere(program: "ffmpeg"): Promise<boolean> {
  const child = spawn(program, ["-version"], { env, stdio: "ignore" });
  return new Promise((resolve) => {
    child.once("error", () => resolve(false));
    child.once("close", (code) => resolve(code === 0));
  });
}
