// `run.json`: what runs where, for tools and tests; and the end of what an earlier run left behind.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ServiceName, serviceNames } from "../parts/services.ts";
import { commandOf, hasInEnvironment, startOf } from "../processes/system-process.ts";
import { isStartedWith } from "../programs/programs.ts";

export type Login = { username: string; password: string };

/** The content of `run.json`. The keys of `processes` are the services' folder names and the servers' program names. */
export type RunFile = {
  http: string;
  mqtt: { host: string; port: number; ws: string };
  demo: Login[];
  /** For who may do all: `parley backup`. Their URLs hold passwords. */
  services?: { nats: string; store: string };
  processes: Record<string, number[]>;
};

/** Replaces the file as a whole. */
export function writeRunFile(dir: string, run: RunFile): void {
  const file = join(dir, "run.json");
  writeFileSync(`${file}.new`, `${JSON.stringify(run)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function removeRunFile(dir: string): void {
  rmSync(join(dir, "run.json"), { force: true });
}

/** Ends the processes that `run.json` names and that are provably this folder's; answers how many there were. */
export async function endLeftovers(dir: string): Promise<number> {
  const ours = readProcesses(dir).filter(({ part, pid }) => isOurs(dir, part, pid));
  await Promise.all(ours.map(({ pid }) => end(pid)));
  return ours.length;
}

function readProcesses(dir: string): { part: string; pid: number }[] {
  try {
    const { processes } = JSON.parse(readFileSync(join(dir, "run.json"), "utf8")) as RunFile;
    const entries = Object.entries(processes).flatMap(([part, pids]) => pids.map((pid) => ({ part, pid })));
    return entries.filter(({ pid }) => Number.isInteger(pid) && pid > 1);
  } catch {
    return [];
  }
}

// A server is started with a file of this folder, a service with its main.ts and this folder in its environment.
function isOurs(dir: string, part: string, pid: number): boolean {
  const command = commandOf(pid) ?? "";
  if (!serviceNames.includes(part as ServiceName)) {
    // Redis is given its path with wildcards escaped.
    const bare = (text: string) => text.replaceAll("\\", "");
    return command.includes(part) && bare(command).includes(bare(`${dir}/${part}/`));
  }
  return (
    isStartedWith(`services/${part as ServiceName}/src/main.ts`, command) &&
    hasInEnvironment(pid, `PARLEY_DIR=${dir}`) !== false
  );
}

async function end(pid: number): Promise<void> {
  const started = startOf(pid);
  // A process that is dead but not yet waited for has no command line any more.
  const gone = () => startOf(pid) !== started || commandOf(pid) === undefined;
  for (const signal of ["SIGCONT", "SIGTERM", "SIGKILL"] as const) {
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (let waited = 0; signal !== "SIGCONT" && waited < 5_000 && !gone(); waited += 50) await sleep(50);
    if (gone()) return;
  }
}
