// One `npm start`, from the typed command to the last of its lines, and to its end.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { RunFile } from "@parley/testkit";
import { cpuMicros } from "./processes.ts";

const root = join(import.meta.dirname, "../..");
const lastLine = "Ctrl-C stops everything";

export interface WholeStart {
  /** ms until it says how to chat */
  ms: number;
  /** CPU of services and servers until then, ms */
  cpuMs: number;
}

/** Starts everything with its data in `dir`, on free ports, and ends it. Throws with what it said if it ends before it is ready. */
export async function startWhole(dir: string): Promise<WholeStart> {
  const ports = { PARLEY_HTTP_PORT: "0", PARLEY_MQTT_PORT: "0", PARLEY_WS_PORT: "0" };
  const begunAt = performance.now();
  const child = spawn("npm", ["start"], { cwd: root, env: { ...process.env, ...ports, PARLEY_DIR: dir } });
  const exited = once(child, "exit");
  let said = "";
  const ready = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes(lastLine)) resolve();
      });
  });
  const isReady = await Promise.race([ready.then(() => true), exited.then(() => false)]);
  const ms = performance.now() - begunAt;
  if (!isReady) throw new Error(`npm start ended before it was ready:\n${said}`);
  const { processes } = JSON.parse(readFileSync(join(dir, "run.json"), "utf8")) as RunFile;
  const { generator: _, ...parts } = cpuMicros(processes);
  const cpuMs = Object.values(parts).reduce((sum, micros) => sum + micros, 0) / 1_000;
  child.kill("SIGINT");
  await exited;
  return { ms, cpuMs };
}
