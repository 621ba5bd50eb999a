// The real history as a process of its own, beside the api of a test.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { TestContext } from "@parley/testkit";
import type { TestApi } from "./surroundings.ts";

export interface HistoryProcess {
  start(): void;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
}

export function startHistoryProcess(t: TestContext, api: TestApi): HistoryProcess {
  const main = join(import.meta.dirname, "../../history/src/main.ts");
  let child: ChildProcess;
  const start = () => {
    const env = {
      ...process.env,
      NATS_URL: api.natsServer.url,
      REDIS_URL: api.redis.url,
      PARLEY_DIR: api.folder,
      PARLEY_LOG_LEVEL: "warn",
      PARLEY_PARENT_PIPE: "true",
    };
    child = spawn(process.execPath, [main], { env, stdio: ["pipe", "ignore", "inherit"] });
  };
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  t.after(kill);
  start();
  return { start, kill };
}
