// ejabberd with its archive on PostgreSQL, started privately: nothing of it is installed, and it ends with this process.
import { readdirSync, readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { eventually, freePort } from "@parley/testkit";
import { type Child, startChild } from "../../../packages/testkit/src/processes/child.ts";
import { bringPackages, fileOf } from "./debian.ts";
import { startPostgres } from "./postgres.ts";

export interface Ejabberd {
  xmppPort: number;
  /** Makes a user whose password is `password`. */
  register(user: string, password: string): Promise<void>;
  /** messages in its archives */
  archived(): Promise<number>;
  /** by part; PostgreSQL has a process a connection */
  processes(): Record<string, number[]>;
  close(): Promise<void>;
}

const packages = ["ejabberd", "erlang-p1-pgsql", "postgresql-15"];
const folder = join(import.meta.dirname, "../../../.tools/peers", packages.join("+"));
const startMs = 30_000;

/** Throws a message for people. */
export async function startEjabberd(say: (line: string) => void): Promise<Ejabberd> {
  await bringPackages(folder, packages, say);
  say("starting PostgreSQL and ejabberd");
  const dir = await mkdtemp(join(tmpdir(), "parley-peer-"));
  // PostgreSQL's user goes through it.
  await chmod(dir, 0o711);
  const children: [Child, NodeJS.Signals][] = [];
  const close = async () => {
    for (const [child, signal] of children) child.kill(signal);
    await Promise.all(children.map(([{ exited }]) => exited));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    return { ...(await startBoth(dir, children)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startBoth(dir: string, children: [Child, NodeJS.Signals][]): Promise<Omit<Ejabberd, "close">> {
  const libraries = join(folder, "usr/lib/x86_64-linux-gnu");
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, LC_ALL: "C.UTF-8" };
  const [sqlPort, xmppPort, httpPort] = [await freePort(), await freePort(), await freePort()];
  const bin = fileOf(folder, "usr/lib/postgresql/15/bin");
  const postgres = await startPostgres({ bin, dir: join(dir, "postgres"), port: sqlPort, user: "ejabberd", env });
  // Fast: what is connected is cut.
  children.push([postgres.child, "SIGINT"]);
  await postgres.load("ejabberd", fileOf(folder, "usr/share/ejabberd/sql/pg.sql"));
  const child = await startErlang(dir, env, configuration({ sqlPort, xmppPort, httpPort }));
  children.push([child, "SIGTERM"]);
  const api = `http://127.0.0.1:${httpPort}/api/`;
  try {
    await eventually(() => post(`${api}status`, {}), { timeoutMs: startMs, intervalMs: 100 });
  } catch (cause) {
    const log = await readFile(join(dir, "ejabberd.log"), "utf8").catch(() => "");
    throw new Error(`ejabberd does not start:\n${log.split("\n").slice(-10).join("\n")}`, { cause });
  }
  return {
    xmppPort,
    register: async (user, password) => void (await post(`${api}register`, { user, host: "localhost", password })),
    archived: async () => Number(await postgres.query("ejabberd", "select count(*) from archive")),
    processes: () => ({ ejabberd: [child.pid], postgres: familyOf(postgres.child.pid) }),
  };
}

async function startErlang(dir: string, env: Record<string, string | undefined>, config: string) {
  // Its libraries may be in the folder and the rest of it on this machine.
  const erlang = dirname(fileOf(folder, "usr/lib/erlang/releases"));
  const version = readdirSync(erlang).find((name) => name.startsWith("erts-"));
  const bindir = join(erlang, String(version), "bin");
  await mkdir(join(dir, "mnesia"));
  await writeFile(join(dir, "ejabberd.yml"), config);
  const own = {
    ROOTDIR: erlang,
    BINDIR: bindir,
    EMU: "beam",
    PROGNAME: "erl",
    ERL_LIBS: [join(folder, "usr/lib/erlang/lib"), fileOf(folder, "usr/lib/x86_64-linux-gnu")].join(":"),
    EJABBERD_CONFIG_PATH: join(dir, "ejabberd.yml"),
    EJABBERD_LOG_PATH: join(dir, "ejabberd.log"),
    ERL_CRASH_DUMP: "/dev/null",
  };
  // As Debian's ejabberdctl starts it, but for a name: a node that has none opens no port for others.
  const args = [
    "+K",
    "true",
    "+P",
    "250000",
    "-noinput",
    "-mnesia",
    "dir",
    `"${join(dir, "mnesia")}"`,
    "-s",
    "ejabberd",
  ];
  const program = { command: join(bindir, "erlexec"), args, env: { ...env, ...own }, cwd: dir };
  return startChild(program, { logFile: join(dir, "output.log"), dieWith: "SIGKILL" });
}

// Queues without bounds and no shaper, as Parley's rate limits are lifted in the bench too.
function configuration({ sqlPort, xmppPort, httpPort }: Record<"sqlPort" | "xmppPort" | "httpPort", number>): string {
  return `hosts: [localhost]
loglevel: warning
auth_method: mnesia
auth_password_format: plain
disable_sasl_mechanisms: [digest-md5, scram-sha-1, scram-sha-256, scram-sha-512, x-oauth2]
max_fsm_queue: 100000
listen:
  - {port: ${xmppPort}, ip: "127.0.0.1", module: ejabberd_c2s, max_stanza_size: 262144, shaper: none, access: c2s}
  - {port: ${httpPort}, ip: "127.0.0.1", module: ejabberd_http, request_handlers: {/api: mod_http_api}}
access_rules: {c2s: {allow: all}}
api_permissions: {bench: {from: [mod_http_api], who: all, what: "*"}}
modules:
  mod_mam: {db_type: sql, default: always, cache_size: 100000}
  mod_offline: {use_mam_for_storage: true}
  mod_stream_mgmt: {}
  mod_roster: {}
  mod_disco: {}
  mod_muc:
    access: [{allow: all}]
    access_create: [{allow: all}]
    max_users: 5000
    min_message_interval: 0
    min_presence_interval: 0
    default_room_options: {mam: true, persistent: true, max_users: 5000}
sql_type: pgsql
sql_server: 127.0.0.1
sql_port: ${sqlPort}
sql_database: ejabberd
sql_username: ejabberd
sql_password: none
sql_pool_size: 10
`;
}

async function post(url: string, body: object): Promise<string> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text}`);
  return text;
}

/** A process and its children. */
function familyOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return Number(readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]) === pid;
    } catch {
      return false;
    }
  });
  return [pid, ...children.map(Number)];
}
