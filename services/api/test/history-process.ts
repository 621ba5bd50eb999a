// The real history as a process of its own, beside the api of a test.
import type { ChildProcess } from "node:child_process";
import type { Checkpoint } from "@parley/runtime";
import { endProcess, processEnd, startServiceProcess, type TestContext } from "@parley/testkit";

export interface HistoryProcess {
  /** `dieAt`: `{point}` or `{point}:{n}`, where it kills itself. */
  start(dieAt?: Checkpoint | `${Checkpoint}:${number}`): void;
  /** Resolves when it is gone: the signal that ended it. */
  died(): Promise<string | null>;
  /** SIGTERM: what it knows is folded, marks are put. Resolves when it is gone. */
  stop(): Promise<void>;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
}

type Surroundings = { natsServer: { url: string }; redis: { url: string }; folder: string };

export function startHistoryProcess(t: TestContext, api: Surroundings): HistoryProcess {
  const env = {
    ...process.env,
    NATS_URL: api.natsServer.url,
    REDIS_URL: api.redis.url,
    PARLEY_DIR: api.folder,
    PARLEY_LOG_LEVEL: "warn",
    PARLEY_PARENT_PIPE: "true",
  };
  let child: ChildProcess;
  const start: HistoryProcess["start"] = (dieAt) => {
    child = startServiceProcess("history", { env, dieAt });
  };
  const kill = () => endProcess(child);
  t.after(kill);
  start();
  return { start, died: () => processEnd(child), stop: () => endProcess(child, "SIGTERM"), kill };
}
