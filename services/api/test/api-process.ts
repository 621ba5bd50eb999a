// The real api as a process of its own, which can be told where to die.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Checkpoint, connectNats, type NatsConnection } from "@parley/runtime";
import {
  endProcess,
  processEnd,
  serviceContext,
  startServers,
  startServiceProcess,
  type TestContext,
  type TestServer,
} from "@parley/testkit";
import { type CallOptions, callUrl, type Reply } from "./surroundings.ts";

export interface ApiProcess {
  nats: NatsConnection;
  natsServer: TestServer;
  redis: TestServer;
  folder: string;
  /** Starts it again after its death; `dieAt`: `{point}` or `{point}:{n}`, where it kills itself. */
  start(dieAt?: Checkpoint | `${Checkpoint}:${number}`): Promise<void>;
  /** where it listens now */
  port(): string;
  pid(): number;
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>;
  /** Resolves when it is gone: the signal that ended it. */
  died(): Promise<string | null>;
  call(verb: string, path: string, options?: CallOptions): Promise<Reply>;
}

/** On NATS, Redis and a store of its own, all of which outlive it. `more`: settings. */
export async function startApiProcess(t: TestContext, more: Record<string, string> = {}): Promise<ApiProcess> {
  const folder = await mkdtemp(join(tmpdir(), "parley-api-process-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const { redis, nats: natsServer } = await startServers(t, { redis: true, nats: true });
  const nats = await connectNats({ url: natsServer.url, name: "test", log: serviceContext("api").log });
  t.after(() => nats.close());
  const settings = {
    ...process.env,
    NATS_URL: natsServer.url,
    REDIS_URL: redis.url,
    PARLEY_DIR: folder,
    API_PORT: "0",
    PARLEY_PARENT_PIPE: "true",
    ...more,
  };
  let child: ChildProcess | undefined;
  let url = "";
  const kill = async () => child && endProcess(child);
  t.after(kill);
  return {
    nats,
    natsServer,
    redis,
    folder,
    async start(dieAt) {
      child = startServiceProcess("api", { env: settings, dieAt, stdout: "pipe" });
      url = `http://127.0.0.1:${await portOf(child)}`;
    },
    port: () => new URL(url).port,
    pid: () => child?.pid ?? 0,
    kill,
    died: async () => (child ? processEnd(child) : null),
    call: (verb, path, options = {}) => callUrl(`${url}${path}`, verb, options),
  };
}

async function portOf(child: ChildProcess): Promise<number> {
  const port = Promise.withResolvers<number>();
  child.once("exit", (code) => port.reject(new Error(`api ended at its start: ${code}`)));
  const lines = createInterface({ input: child.stdout! });
  lines.on("line", (line) => {
    const { what, port: at } = JSON.parse(line) as { what?: string; port?: number };
    if (what === "http" && at !== undefined) port.resolve(at);
  });
  return port.promise;
}
