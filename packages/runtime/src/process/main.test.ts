import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { eventually, freePort } from "@parley/testkit";

const program = fileURLToPath(import.meta.resolve("../../test/demo-service.ts"));

function run(t: TestContext, env: Record<string, string> = {}, args: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), "parley-main-"));
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH, NODE_COMPILE_CACHE, PARLEY_DIR: folder, ...env },
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const exited = new Promise<number | null>((resolve) => child.on("close", resolve));
  t.after(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = () =>
    output.stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const logged = (event: string) => eventually(() => lines().find((line) => line.event === event));
  return { child, output, exited, lines, logged };
}

test("--help prints the settings and starts nothing", async (t) => {
  const { output, exited } = run(t, { DEMO_WINDOW: "nonsense" }, ["--help"]);
  assert.equal(await exited, 0);
  assert.match(output.stdout, /DEMO_WINDOW +1000 +packets in hand/);
});

test("an argument is refused with a word about where settings come from, exit 64", async (t) => {
  const { output, exited } = run(t, {}, ["--port=1"]);
  assert.equal(await exited, 64);
  assert.equal(output.stderr, "demo: unknown argument --port=1; settings come by environment, --help lists them\n");
});

test("a bad setting is one line on stderr that names it, exit 78, nothing on stdout", async (t) => {
  const { output, exited } = run(t, { DEMO_WINDOW: "0", DEMO_KEY: "hunter2" });
  assert.equal(await exited, 78);
  assert.equal(output.stdout, "");
  assert.match(
    output.stderr,
    /^demo: DEMO_WINDOW must be >= 1, not "0"; DEMO_KEY must not have fewer than 8 characters\n$/,
  );
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} closes the service and exits 0`, async (t) => {
    const { child, exited, logged, lines } = run(t);
    await logged("started");
    child.kill(signal);
    assert.equal(await exited, 0);
    assert.deepEqual(
      lines().map(({ event }) => event),
      ["listening", "demo", "started", "stopping", "demo_closed", "stopped"],
    );
  });
}

test("health answers while the service starts, is ready when it has started", async (t) => {
  const { logged } = run(t, { DEMO_MODE: "never starts" });
  const { port } = await logged("listening");
  const starting = await fetch(`http://127.0.0.1:${port}/health/ready`);
  assert.deepEqual([starting.status, await starting.json()], [503, { ready: false, reasons: { service: "starting" } }]);
  const well = run(t);
  await well.logged("started");
  const { port: wellPort } = await well.logged("listening");
  assert.equal((await fetch(`http://127.0.0.1:${wellPort}/health/ready`)).status, 200);
});

test("a service that still waits to start stops at once when told to", async (t) => {
  const { child, exited, logged } = run(t, { DEMO_MODE: "never starts" });
  await logged("listening");
  child.kill("SIGTERM");
  assert.equal(await exited, 0);
});

test("a refusal to start is one line on stderr, exit 1", async (t) => {
  const { output, exited, lines } = run(t, { DEMO_MODE: "refuse" });
  assert.equal(await exited, 1);
  assert.equal(output.stderr, "demo: cannot start: the store is locked by another process\n");
  assert.deepEqual(
    lines().map(({ event }) => event),
    ["listening"],
  );
});

test("a setting that is found bad only while the service starts is one line as well, exit 78", async (t) => {
  const { output, exited, lines } = run(t, { DEMO_MODE: "half a pair" });
  assert.equal(await exited, 78);
  assert.equal(output.stderr, "demo: DEMO_WINDOW is required with DEMO_KEY\n");
  assert.equal(lines().length, 1);
});

test("a health port that is taken is one line that names the setting, exit 1", async (t) => {
  const port = String(await freePort());
  const first = run(t, { DEMO_HEALTH_PORT: port });
  await first.logged("started");
  const second = run(t, { DEMO_HEALTH_PORT: port });
  assert.equal(await second.exited, 1);
  assert.equal(second.output.stderr, `demo: cannot start: DEMO_HEALTH_PORT 127.0.0.1:${port}: the port is taken\n`);
});

test("a bug at the start is logged with its stack, exit 1", async (t) => {
  const { exited, logged } = run(t, { DEMO_MODE: "bug at start" });
  assert.equal(await exited, 1);
  assert.match(JSON.stringify(await logged("start_failed")), /TypeError.*demo-service\.ts/);
});

for (const event of ["unhandled_rejection", "uncaught_exception"]) {
  test(`a bug later ends the process: one fatal line ${event} with the stack, exit 70`, async (t) => {
    const { exited, lines } = run(t, { DEMO_MODE: event });
    assert.equal(await exited, 70);
    const fatal = lines().filter(({ level }) => level === "fatal");
    assert.deepEqual(
      fatal.map((line) => line.event),
      [event],
    );
    assert.match(JSON.stringify(fatal), /TypeError: x is not a function.*demo-service\.ts/);
  });
}

test("a close that fails is logged, exit 1", async (t) => {
  const { child, exited, logged } = run(t, { DEMO_MODE: "fail to close" });
  await logged("started");
  child.kill("SIGTERM");
  assert.equal(await exited, 1);
  assert.match(JSON.stringify(await logged("stop_failed")), /not closed/);
});

test("a close that hangs is ended after 10 s with the name of the step that hung, exit 1", async (t) => {
  const { child, exited, logged } = run(t, { DEMO_MODE: "hang" });
  await logged("started");
  child.kill("SIGTERM");
  assert.equal(await exited, 1);
  assert.deepEqual((await logged("stop_hung")).steps, ["close", "sessions"]);
});

test("with PARLEY_PARENT_PIPE a service whose supervisor is gone with all its pipes still stops well", async (t) => {
  const { child, exited, logged } = run(t, { PARLEY_PARENT_PIPE: "1" });
  await logged("started");
  child.stdout.destroy();
  child.stderr.destroy();
  child.stdin.destroy();
  assert.equal(await exited, 0);
});

test("with PARLEY_PARENT_PIPE a service stops when its supervisor is gone", async (t) => {
  const { child, exited, logged } = run(t, { PARLEY_PARENT_PIPE: "1" });
  await logged("started");
  child.stdin.destroy();
  assert.equal(await exited, 0);
  assert.equal((await logged("stopping")).reason, "parent gone");
});
