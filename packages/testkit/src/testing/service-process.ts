// One service as a process of its own, for tests that kill it.
import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import type { ServiceName } from "../parts/services.ts";
import { programOf } from "../programs/programs.ts";

export interface ServiceProcessOptions {
  env: NodeJS.ProcessEnv;
  /** `{point}` or `{point}:{n}`, where it kills itself */
  dieAt?: string | undefined;
  /** of Node */
  flags?: readonly string[];
  /** its log; "ignore" unless said */
  stdout?: "ignore" | "pipe";
}

/** It stops when its stdin closes, if `env` says so (PARLEY_PARENT_PIPE). Whoever starts it ends it. */
export function startServiceProcess(service: ServiceName, options: ServiceProcessOptions): ChildProcess {
  const { env, dieAt, flags = [], stdout = "ignore" } = options;
  const stdio: StdioOptions = ["pipe", stdout, "inherit"];
  return spawn(process.execPath, [...flags, programOf(`services/${service}/src/main.ts`)], {
    env: { ...env, ...(dieAt === undefined ? {} : { PARLEY_CRASH_AT: dieAt }) },
    stdio,
  });
}

/** Resolves when the process is gone: the signal that ended it. */
export async function processEnd(child: ChildProcess): Promise<NodeJS.Signals | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode;
}

/** kill -9, unless another signal is said; resolves when the process is gone. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
  child.kill(signal);
  await processEnd(child);
}
