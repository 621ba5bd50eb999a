// What the system says about a process that is not our child.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const linux = process.platform === "linux";

/** Its command line, or undefined when there is no such process. */
export function commandOf(pid: number): string | undefined {
  return linux ? readProc(pid, "cmdline")?.replaceAll("\0", " ") : ps(pid, "command=");
}

/** When it was started, in a form that only serves to be compared: a pid and its start are one process for ever. */
export function startOf(pid: number): string | undefined {
  if (!linux) return ps(pid, "lstart=");
  // The 22nd field; the second is the program's name in parentheses and may hold anything.
  return readProc(pid, "stat")?.replace(/^.*\)/s, "").trim().split(" ")[19];
}

/** True when its environment holds `entry` (`KEY=value`), undefined where the system does not tell. */
export function hasInEnvironment(pid: number, entry: string): boolean | undefined {
  if (!linux) return undefined;
  return readProc(pid, "environ")?.split("\0").includes(entry);
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8") || undefined;
  } catch {
    return undefined;
  }
}

function ps(pid: number, column: string): string | undefined {
  try {
    return (
      execFileSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8", stdio: "pipe" }).trim() || undefined
    );
  } catch {
    return undefined;
  }
}
