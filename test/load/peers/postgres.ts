// A PostgreSQL of one's own, on a free port, as its packages configure it: every commit is on disk when it is answered.
import { execFile } from "node:child_process";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { eventually } from "@parley/testkit";
import { type Child, startChild } from "../../../packages/testkit/src/processes/child.ts";

const run = promisify(execFile);

export interface Postgres {
  child: Child;
  /** Runs a file of SQL in a new database of this name. */
  load(database: string, file: string): Promise<void>;
  /** What it answers, without its table. */
  query(database: string, sql: string): Promise<string>;
}

export interface PostgresOptions {
  /** where its programs are */
  bin: string;
  dir: string;
  port: number;
  user: string;
  env: Record<string, string | undefined>;
}

const startMs = 20_000;
/** It does not run as root. */
const nobody = { uid: 65_534, gid: 65_534 };

export async function startPostgres({ bin, dir, port, user, env }: PostgresOptions): Promise<Postgres> {
  const isRoot = process.getuid?.() === 0;
  const as = isRoot ? ["setpriv", "--reuid", String(nobody.uid), "--regid", String(nobody.gid), "--clear-groups"] : [];
  const options = { env, cwd: dir };
  const own = async (program: string, args: string[]) => {
    const [command, ...rest] = [...as, join(bin, program), ...args] as [string, ...string[]];
    await run(command, rest, options);
  };
  await mkdir(dir, { recursive: true });
  if (isRoot) await chown(dir, nobody.uid, nobody.gid);
  const data = join(dir, "data");
  await own("initdb", ["--pgdata", data, "--auth", "trust", "--username", user, "--no-sync"]);
  const settings = ["-p", String(port), "-k", "", "-c", "listen_addresses=127.0.0.1"];
  const [command, ...args] = [...as, join(bin, "postgres"), "-D", data, ...settings] as [string, ...string[]];
  const child = startChild({ command, args, ...options }, { logFile: join(dir, "postgres.log"), dieWith: "SIGINT" });
  const login = ["--host", "127.0.0.1", "--port", String(port), "--username", user];
  const psql = (database: string, more: string[]) =>
    run(join(bin, "psql"), [...login, "--quiet", "--dbname", database, "--set", "ON_ERROR_STOP=1", ...more], options);
  await untilReady(() => psql("postgres", ["--command", "select 1"]), child);
  return {
    child,
    async load(database, file) {
      await psql("postgres", ["--command", `create database ${database}`]);
      await psql(database, ["--file", file]);
    },
    query: async (database, sql) => (await psql(database, ["--tuples-only", "--command", sql])).stdout.trim(),
  };
}

/** Who has died is not waited for. */
async function untilReady(ask: () => Promise<unknown>, child: Child): Promise<void> {
  const isUp = async () => !child.alive() || ((await ask()) && true);
  try {
    await eventually(isUp, { timeoutMs: startMs, intervalMs: 100 });
    await ask();
  } catch (cause) {
    child.kill("SIGKILL");
    throw new Error("PostgreSQL does not start", { cause });
  }
}
