// A process between devices and the broker, as its cost is measured: CPU time, resident memory, and what lives in it.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@parley/testkit";

export interface MeasuredProcess {
  port: number;
  /** CPU time that it used so far, s */
  cpuSeconds(): number;
  residentKiB(): number;
  /** What is left after a full collection: V8's heap and buffers outside of it. */
  liveKiB(): Promise<number>;
}

interface Options {
  /** which answers `answerMemory` */
  file: string;
  args: readonly string[];
  env: Record<string, string>;
  /** where it listens */
  port: number;
  /** of node */
  flags?: readonly string[];
  /** a CPU profile is left in a temporary folder */
  profile: boolean;
}

export async function startMeasured(
  scope: { after(fn: () => unknown): void },
  { file, args, env, port, flags = [], profile }: Options,
): Promise<MeasuredProcess> {
  const profiling = profile ? ["--cpu-prof", "--cpu-prof-dir", join(tmpdir(), "edge-profile")] : [];
  const child = spawn(process.execPath, ["--expose-gc", ...flags, ...profiling, file, ...args], {
    env: { ...process.env, ...env },
    stdio: ["inherit", "inherit", "inherit", "ipc"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  scope.after(async () => {
    child.kill("SIGTERM");
    await exited;
  });
  await eventually(() => canConnect(port));
  const proc = (name: string) => readFileSync(`/proc/${child.pid}/${name}`, "utf8");
  return {
    port,
    cpuSeconds() {
      const fields = proc("stat").split(") ")[1]?.split(" ") ?? [];
      return (Number(fields[11]) + Number(fields[12])) / 100;
    },
    residentKiB: () => Number(/VmRSS:\s+(\d+)/.exec(proc("status"))?.[1]),
    async liveKiB() {
      const answer = new Promise<NodeJS.MemoryUsage>((resolve) => child.once("message", resolve));
      child.send("memory");
      const { heapUsed, external } = await answer;
      return (heapUsed + external) / 1024;
    },
  };
}

/** The child's part of `liveKiB`. */
export function answerMemory(): void {
  process.on("message", () => {
    globalThis.gc?.();
    process.send?.(process.memoryUsage());
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
