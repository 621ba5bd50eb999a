import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../processes/eventually.ts";
import { freePort } from "../processes/free-port.ts";
import { startServers, type TestContext } from "../testing/start-servers.ts";
import { startTestCluster } from "../testing/start-test-cluster.ts";
import { startCluster } from "./cluster.ts";
import { type RunFile, writeRunFile } from "./run-file.ts";

function tempFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "parley-folder-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const readRun = (dir: string): RunFile => JSON.parse(readFileSync(join(dir, "run.json"), "utf8"));
const isAlive = (pid: number) => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`).length > 0;

test("a broker whose database cannot be read starts anew by itself; what it could not read is kept, and that is told", async (t) => {
  const dir = tempFolder(t);
  mkdirSync(join(dir, "mosquitto"));
  writeFileSync(join(dir, "mosquitto", "mosquitto.db"), "cut off");
  const lines: string[] = [];
  await startTestCluster(t, { dir, parts: ["mosquitto"], log: (line) => lines.push(line) });
  const [kept, ...others] = readdirSync(join(dir, "mosquitto")).filter((name) => name.includes("unreadable"));
  assert.deepEqual(others, []);
  assert.equal(readFileSync(join(dir, "mosquitto", kept ?? ""), "utf8"), "cut off");
  assert.ok(lines.some((line) => line.includes(kept ?? "nothing") && line.includes("could not read its database")));
});

test("a server that was killed runs again, where it was, and run.json names its new process", async (t) => {
  const cluster = await startTestCluster(t, { parts: ["redis-server"] });
  const { redis } = cluster.wiring.urls;
  const [before] = readRun(cluster.dir).processes["redis-server"]!;
  await cluster.kill("redis-server");
  await cluster.waitReady("redis-server");
  const [after] = readRun(cluster.dir).processes["redis-server"]!;
  assert.notEqual(after, before);
  assert.equal(after, cluster.pid("redis-server"));
  assert.equal(cluster.wiring.urls.redis, redis);
  assert.equal(cluster.restarts("redis-server"), 1);
});

test("a part that was stopped stays stopped until it is started", async (t) => {
  const cluster = await startTestCluster(t, { parts: ["redis-server"] });
  await cluster.stopPart("redis-server");
  assert.deepEqual(readRun(cluster.dir).processes["redis-server"], []);
  await assert.rejects(cluster.waitReady("redis-server", { timeoutMs: 0 }), /redis-server is not running/);
  await cluster.startPart("redis-server");
  await cluster.waitReady("redis-server");
});

test("close leaves no process, no lock and no run.json", async (t) => {
  const dir = tempFolder(t);
  const cluster = await startCluster({ dir, parts: ["mosquitto", "redis-server", "nats-server"] });
  const pids = Object.values(cluster.run().processes).flat();
  assert.equal(pids.length, 3);
  await cluster.close();
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal(existsSync(join(dir, "run.json")), false);
  assert.equal(existsSync(join(dir, "lock")), false);
});

test("a second cluster in a folder in use is refused with the process that uses it", async (t) => {
  const cluster = await startTestCluster(t, { parts: [] });
  await assert.rejects(startCluster({ dir: cluster.dir, parts: [] }), {
    message: new RegExp(`already running on .* \\(process ${process.pid}\\)`),
  });
});

test("a lock whose process is gone, or whose pid is another process by now, is taken over", async (t) => {
  for (const lock of [{ pid: 4_194_000, started: "1" }, { pid: process.pid, started: "1" }, "half a lo"]) {
    const dir = tempFolder(t);
    writeFileSync(join(dir, "lock"), typeof lock === "string" ? lock : JSON.stringify(lock));
    const cluster = await startTestCluster(t, { dir, parts: [] });
    await cluster.close();
  }
});

test("data of a newer version is refused and not touched", async (t) => {
  const dir = tempFolder(t);
  writeFileSync(join(dir, "version"), '{"version":2}');
  await assert.rejects(
    startCluster({ dir, parts: [] }),
    /written by a newer Parley \(data version 2, this one reads 1\)/,
  );
  assert.equal(readFileSync(join(dir, "version"), "utf8"), '{"version":2}');
  assert.equal(existsSync(join(dir, "lock")), false);
});

test("a data folder that is a file is one clear line", async (t) => {
  const file = join(tempFolder(t), "file");
  writeFileSync(file, "");
  await assert.rejects(startCluster({ dir: file, parts: [] }), {
    name: "SetupError",
    message: /it is a file|is a file/,
  });
});

test("a data folder with a line break in its path is one clear line", async (t) => {
  const dir = join(tempFolder(t), "two\nlines");
  await assert.rejects(startCluster({ dir, parts: [] }), { name: "SetupError", message: /two\\nlines.*line break/ });
  assert.equal(existsSync(dir), false);
});

test("no other user of the machine finds a secret among arguments, in a configuration or in a log", async (t) => {
  const dir = join(tempFolder(t), "new");
  mkdirSync(join(dir, "logs"), { recursive: true, mode: 0o755 });
  for (const name of ["nats-server", "redis-server"])
    writeFileSync(join(dir, "logs", `${name}.log`), "", { mode: 0o644 });
  const cluster = await startTestCluster(t, {
    dir,
    parts: ["mosquitto", "redis-server", "nats-server", "auth-webhook", "api"],
  });
  const secrets = readdirSync(join(dir, "secrets")).map((name) => readFileSync(join(dir, "secrets", name), "latin1"));
  assert.equal(secrets.length, 5);
  for (const pid of Object.values(cluster.run().processes).flat()) {
    const command = readFileSync(`/proc/${pid}/cmdline`, "latin1");
    assert.deepEqual(
      secrets.filter((secret) => command.includes(secret)),
      [],
    );
  }
  const open = readdirSync(dir, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter(({ parentPath, name }) => parentPath !== dir || !["version", "lock"].includes(name))
    .filter(({ parentPath, name }) => (statSync(join(parentPath, name)).mode & 0o077) !== 0)
    .map(({ parentPath, name }) => join(parentPath, name).slice(dir.length + 1));
  // What nats-server, SQLite and mosquitto (its socket) make lies within folders that nobody else may enter.
  assert.equal(statSync(join(dir, "mosquitto")).mode & 0o077, 0);
  assert.deepEqual(
    open.filter((path) => !/^((nats-server|data)\/.|mosquitto\/broker\.sock$)/.test(path)),
    [],
  );
});

test("a public port that is taken is replaced by a free one, with a word about it", async (t) => {
  const port = await freePort();
  const taken = createServer((socket) => void socket.on("error", () => {})).listen(port, "127.0.0.1");
  t.after(() => taken.close());
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const cluster = await startTestCluster(t, { parts: [], ports: { http: port, mqtt: 0, ws: 0 }, log });
  assert.notEqual(cluster.wiring.public.http, port);
  assert.match(lines.join("\n"), new RegExp(`port ${port} is taken: HTTP is on ${cluster.wiring.public.http} instead`));
  assert.equal(cluster.run().http, `http://127.0.0.1:${cluster.wiring.public.http}`);
});

test("what an earlier run left behind is ended, and nothing else that run.json names", async (t) => {
  const { redis } = await startServers(t, { redis: true });
  const dir = tempFolder(t);
  const leftover = spawn("sleep", ["600"], { argv0: `redis-server ${dir}/redis-server/redis.conf` });
  t.after(() => leftover.kill());
  await eventually(() => isAlive(leftover.pid!));
  const processes = { "redis-server": [leftover.pid!, redis.pid()], router: [process.pid] };
  writeRunFile(dir, { http: "", mqtt: { host: "", port: 0, ws: "" }, demo: [], processes });
  await startTestCluster(t, { dir, parts: [] });
  assert.equal(isAlive(leftover.pid!), false);
  assert.equal(isAlive(redis.pid()), true);
});

test("a service that cannot start ends the start with its own line", async (t) => {
  const dir = tempFolder(t);
  const options = { dir, parts: ["router"] as const, env: { ROUTER_HEALTH_PORTS: "1" } };
  await assert.rejects(startCluster(options), { name: "SetupError", message: /router.*ROUTER_HEALTH_PORTS/ });
  assert.equal(existsSync(join(dir, "run.json")), false);
});

test("more than one replica of a part with a store is refused on SQLite", async (t) => {
  const options = { dir: tempFolder(t), replicas: { history: 2 } };
  await assert.rejects(startCluster(options), /history=2 is not possible on SQLite.*STORE_URL=mongodb/);
});

test("a cluster whose supervisor was killed leaves no process behind", async (t) => {
  const dir = tempFolder(t);
  const code = `import { startCluster } from ${JSON.stringify(import.meta.resolve("./cluster.ts"))};
    await startCluster({ dir: ${JSON.stringify(dir)}, parts: ["redis-server", "nats-server"] });`;
  const supervisor = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: "inherit" });
  t.after(() => supervisor.kill("SIGKILL"));
  const started = () => {
    const all = Object.values(readRun(dir).processes).flat();
    return all.length === 2 && all;
  };
  const pids = await eventually(started);
  supervisor.kill("SIGKILL");
  await once(supervisor, "exit");
  const next = await startTestCluster(t, { dir, parts: ["redis-server", "nats-server"] });
  assert.deepEqual(pids.filter(isAlive), []);
  await next.waitReady();
});
