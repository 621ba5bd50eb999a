import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { oneAtATime } from "./one-at-a-time.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-lock-"));
after(() => rmSync(folder, { recursive: true }));

test("of several who want the same at once one is at work at a time, also after one that failed", async () => {
  const lock = join(folder, "not/there/yet");
  let [atWork, most] = [0, 0];
  const work = (fails: boolean) =>
    oneAtATime(lock, 20_000, async () => {
      most = Math.max(most, ++atWork);
      await new Promise(setImmediate);
      atWork -= 1;
      if (fails) throw new Error("failed");
    });
  const ends = await Promise.allSettled([work(true), work(false), work(true), work(false)]);
  assert.deepEqual(ends.map(({ status }) => status).sort(), ["fulfilled", "fulfilled", "rejected", "rejected"]);
  assert.equal(most, 1);
  assert.ok(!existsSync(lock));
});

test("what a dead process left locked is taken over", async () => {
  const lock = join(folder, "left");
  writeFileSync(lock, String(spawnSync("true").pid));
  assert.equal(await oneAtATime(lock, 20_000, async () => "done"), "done");
});
