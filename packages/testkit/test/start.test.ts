// `npm start` as a user meets it: what it prints can be pasted, and Ctrl-C ends it.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { eventually, type RunFile, type TestContext } from "../src/index.ts";

const command = join(import.meta.dirname, "../src/commands/start.ts");

function tempFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "parley-start-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

function begin(t: TestContext, dir: string, env: Record<string, string> = {}, args: string[] = []) {
  const ports = { PARLEY_HTTP_PORT: "0", PARLEY_MQTT_PORT: "0", PARLEY_WS_PORT: "0" };
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, ...ports, PARLEY_DIR: dir, ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const exited = once(child, "exit");
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return {
    output: () => output,
    ready: () => eventually(() => output.includes("Ctrl-C stops everything"), { timeoutMs: 150_000 }),
    /** The line with this in it. */
    line: (part: string) => output.split("\n").find((line) => line.includes(part)) ?? "",
    async stop(): Promise<number> {
      child.kill("SIGINT");
      return (await exited)[0];
    },
    exited,
  };
}

const readRun = (dir: string): RunFile => JSON.parse(readFileSync(join(dir, "run.json"), "utf8"));
const isAlive = (pid: number) => existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`).length > 0;

test("the printed mosquitto lines chat, Ctrl-C leaves no process, and a second start knows logins and messages", async (t) => {
  const dir = tempFolder(t);
  await chatAndStartAgain(t, dir);
});

test("all of it also works in a folder whose path has to be quoted everywhere", async (t) => {
  await chatAndStartAgain(t, join(tempFolder(t), `Zoë's chat 50% #1 "$HOME" $& %41 \\ *;(日本)?`));
});

async function chatAndStartAgain(t: TestContext, dir: string): Promise<void> {
  const first = begin(t, dir);
  await first.ready();
  const shown = first.line("logins");
  const pids = Object.values(readRun(dir).processes).flat();
  assert.equal(pids.length, 11);

  const printed = ["mosquitto_sub", "mosquitto_pub", "npm run parley -- chat bob"].map(first.line);
  const { demo: logins } = readRun(dir);
  for (const { password } of logins) for (const line of printed) assert.ok(!line.includes(password), line);

  const listener = spawn("sh", ["-c", `exec env ${printed[0]}`]);
  t.after(() => listener.kill("SIGKILL"));
  let heard = "";
  listener.stdout.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  await eventually(async () => {
    await promisify(execFile)("sh", ["-c", printed[1]!]);
    return heard.includes('"from":"alice"') && heard.includes('"hello"');
  });
  const everything = readdirSync(dir, { recursive: true, encoding: "utf8" });
  const shared = everything.filter(
    (path) => ((statSync(join(dir, path), { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0,
  );
  // A socket is open to all who may enter its folder: its owner alone.
  assert.deepEqual(shared, ["mosquitto/broker.sock"], "its owner's alone");
  assert.equal(await first.stop(), 0);
  assert.deepEqual(pids.filter(isAlive), []);

  const second = begin(t, dir);
  await second.ready();
  assert.equal(second.line("logins"), shown);
  const { http, demo } = readRun(dir);
  const login = await post(`${http}/login`, { ...demo[1], device: "test" });
  const page = await fetch(`${http}/conversations/${encodeURIComponent("p2p/alice/bob")}/messages`, {
    headers: { authorization: `Bearer ${login.token}` },
  });
  const { messages } = (await page.json()) as { messages: { seq: number; from: string }[] };
  assert.equal(messages[0]?.from, "alice");
  assert.equal(await second.stop(), 0);
}

test("demo logins whose file was lost are made anew under other names", async (t) => {
  const dir = tempFolder(t);
  const first = begin(t, dir);
  await first.ready();
  await first.stop();
  rmSync(join(dir, "demo.json"));
  const second = begin(t, dir);
  await second.ready();
  const { http, demo } = readRun(dir);
  assert.deepEqual(
    demo.map(({ username }) => username),
    ["alice2", "bob2"],
  );
  assert.equal((await post(`${http}/login`, { ...demo[0], device: "test" })).uid, "alice2");
  await second.stop();
});

test("Ctrl-C while it starts ends it, and leaves no process", async (t) => {
  const dir = tempFolder(t);
  const starting = begin(t, dir);
  await eventually(() => existsSync(join(dir, "run.json")) && Object.values(readRun(dir).processes).flat().length > 3);
  const pids = Object.values(readRun(dir).processes).flat();
  assert.equal(await starting.stop(), 0);
  assert.doesNotMatch(starting.output(), /api ready/, "it did not wait until all was ready");
  assert.deepEqual(pids.filter(isAlive), []);
  assert.equal(existsSync(join(dir, "run.json")), false);
});

test("an argument is refused in one line", async (t) => {
  const started = begin(t, tempFolder(t), {}, ["--port", "80"]);
  assert.deepEqual(await started.exited, [1, null]);
  assert.equal(started.output(), "parley: npm start takes no arguments (--port 80): settings come by environment\n");
});

test("a wrong setting is one line that names it, and exit code 1", async (t) => {
  const dir = tempFolder(t);
  for (const [env, message] of [
    [{ PARLEY_HTTP_PORT: "x" }, /^parley: PARLEY_HTTP_PORT is "x"; .*\n$/],
    [{ PARLEY_REPLICAS: "api=2" }, /^parley: PARLEY_REPLICAS: api=2 .*\n$/],
    [{ EDGE_SPEED: "9" }, /\nparley: edge .*EDGE_SPEED is not a setting of edge.*\n$/],
  ] as [Record<string, string>, RegExp][]) {
    const started = begin(t, dir, env);
    assert.deepEqual(await started.exited, [1, null]);
    assert.match(started.output(), message);
  }
});

async function post(url: string, body: unknown): Promise<Record<string, string>> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  return (await response.json()) as Record<string, string>;
}
