// Fresh real servers for one test: free ports, a temporary folder, gone when the test ends.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { servicesUsername } from "@parley/protocol";
import { type ServerName, servers } from "../parts/servers.ts";
import { type Child, startChild } from "../processes/child.ts";
import { eventually } from "../processes/eventually.ts";
import { freePort } from "../processes/free-port.ts";

/** What registers the clean-up: node:test's context, or anything with its `after`. */
export type TestContext = { after(fn: () => unknown): void };

/** A real server of a test's own. It keeps its port and its folder through `kill` and `start`. */
export type TestServer = {
  url: string;
  port: number;
  /** Mosquitto's login. The others' is part of `url`. */
  username: string;
  password: string;
  pid(): number;
  /** Ends it (SIGKILL unless told otherwise) and resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again, on the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing until `resume`. */
  pause(): void;
  resume(): void;
};

const programs = { mosquitto: "mosquitto", redis: "redis-server", nats: "nats-server" } as const;

type Wanted = { mosquitto?: true | { settings: readonly string[] }; redis?: true; nats?: true };

/**
 * Starts the servers named `true` and answers one `TestServer` each, ready to be used. Mosquitto can be given
 * lines of configuration of its own: `{ settings: ["max_inflight_messages 5"] }`.
 */
export async function startServers<W extends Wanted>(
  t: TestContext,
  wanted: W,
): Promise<{ [K in keyof W & keyof Wanted]: TestServer }> {
  const dir = await mkdtemp(join(tmpdir(), "parley-test-"));
  const started: TestServer[] = [];
  t.after(async () => {
    await Promise.all(started.map((server) => server.kill()));
    await rm(dir, { recursive: true, force: true });
  });
  const names = (Object.keys(wanted) as (keyof Wanted)[]).filter((name) => wanted[name]);
  const entries = await Promise.all(
    names.map(async (name) => {
      const settings = wanted[name] === true ? [] : wanted[name]?.settings;
      const server = await startServer(programs[name], join(dir, name), settings);
      started.push(server);
      return [name, server];
    }),
  );
  return Object.fromEntries(entries);
}

async function startServer(name: ServerName, dir: string, settings: readonly string[] = []): Promise<TestServer> {
  // Between looking for a free port and listening on it somebody else may take it.
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startServerOn(name, dir, await freePort(), settings);
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function startServerOn(
  name: ServerName,
  dir: string,
  port: number,
  settings: readonly string[],
): Promise<TestServer> {
  const password = "services-secret-of-the-servers-of-a-test";
  const program = await servers[name].prepare({ dir, port, password, settings });
  const logFile = join(dir, "log");
  let child: Child;
  const start = async () => {
    child = startChild(program, { logFile, dieWith: "SIGKILL" });
    const dead = child.exited.then(async () => {
      throw new Error(`${name} ended while starting: ${(await readFile(logFile, "utf8")).trim().split("\n").at(-1)}`);
    });
    const ready = eventually(async () => child.alive() && (await servers[name].ready({ port, password })), {
      timeoutMs: 20_000,
    });
    dead.catch(() => {});
    await Promise.race([ready, dead]).catch((error) => {
      child.kill("SIGKILL");
      throw error;
    });
  };
  await start();
  return {
    url: servers[name].url({ port, password }),
    port,
    username: servicesUsername,
    password,
    pid: () => child.pid,
    async kill(signal = "SIGKILL") {
      child.kill(signal);
      await child.exited;
    },
    start,
    pause: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
  };
}
