import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "./eventually.ts";
import { supervise } from "./supervise.ts";

test("however many wait for a process, it is asked once at a time, and all are told the same", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "parley-supervise-"));
  let asked = 0;
  const one = supervise({
    name: "waiter",
    prepare: () => ({ command: process.execPath, args: ["-e", "setInterval(() => {}, 1_000)"], env: process.env }),
    probe: async () => `asked ${++asked} times`,
    logFile: join(dir, "waiter.log"),
    log() {},
    changed() {},
    trouble() {},
  });
  t.after(async () => {
    await one.stop("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });
  one.start();
  await eventually(() => one.pid() !== undefined);
  const before = asked;
  const answers = await Promise.all(Array.from({ length: 50 }, () => one.probe()));
  assert.equal(new Set(answers).size, 1);
  assert.ok(asked <= before + 1);
});
