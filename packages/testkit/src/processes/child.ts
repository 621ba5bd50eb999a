// One child process: its log file, its end, and that it does not outlive us.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, fchmodSync, openSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";

/** What to run. `env` is the whole environment. */
export type Program = { command: string; args: string[]; env?: Environment; cwd?: string };

export type Environment = Record<string, string | undefined>;

export type Exit = { code: number | null; signal: NodeJS.Signals | null; error?: Error };

export type Child = {
  pid: number;
  /** Resolves when the process is gone; never rejects. */
  exited: Promise<Exit>;
  alive(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** We may end while it runs: it then ends with us. */
  unref(): void;
};

/** PATH with the folders added that servers are installed to and that not every shell has in its PATH. */
export function searchPath(): string {
  const extra = ["/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin", "/opt/homebrew/sbin"];
  return [...new Set([...(process.env.PATH ?? "").split(":"), ...extra])].join(":");
}

/** Is there such a program? */
export function isInstalled(command: string): boolean {
  if (command.includes("/")) return true;
  return searchPath()
    .split(":")
    .some((folder) => existsSync(join(folder, command)));
}

let bound: boolean | undefined;

// On Linux the kernel itself tells a child that its parent died, whatever the parent died of.
function dyingWithUs(program: Program, signal: NodeJS.Signals): Program {
  bound ??= process.platform === "linux" && spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  if (!bound) return program;
  const args = ["--pdeathsig", signal.slice(3), "--", program.command, ...program.args];
  return { ...program, command: "setpriv", args };
}

/**
 * Starts a program with its output appended to `logFile`. It is in a process group of its own, so Ctrl-C reaches only
 * us, and where the system can do it, it gets `dieWith` when we die.
 */
export function startChild(program: Program, options: { logFile: string; dieWith: NodeJS.Signals }): Child {
  const { command, args, env, cwd } = dyingWithUs(program, options.dieWith);
  const log = openSync(options.logFile, "a", 0o600);
  // Also the log that an earlier Parley made for everybody to read.
  fchmodSync(log, 0o600);
  const child = spawn(command, args, {
    // Never written to: a service that is told so (PARLEY_PARENT_PIPE) ends when it closes, which it does with us.
    stdio: ["pipe", log, log],
    detached: true,
    env: { ...(env ?? process.env), PATH: searchPath() },
    ...(cwd !== undefined && { cwd }),
  });
  closeSync(log);
  const exited = exitOf(child);
  return {
    pid: child.pid ?? -1,
    exited,
    alive: () => child.pid !== undefined && child.exitCode === null && child.signalCode === null,
    kill: (signal) => void child.kill(signal),
    unref() {
      child.unref();
      (child.stdin as Socket | null)?.unref();
    },
  };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve({ code: null, signal: null, error }));
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}
