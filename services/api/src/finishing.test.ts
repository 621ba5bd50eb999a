import assert from "node:assert/strict";
import { test } from "node:test";
import { serviceContext } from "@parley/testkit";
import { startFinishing } from "./finishing.ts";

const hourMs = 3_600_000;

async function finished(begunAt: number): Promise<boolean> {
  let isDone = false;
  const finishing = startFinishing({
    find: async () => ({ items: [{ key: "one", version: 1, doc: begunAt }] as never }),
    begunAt: (at: number) => at,
    finish: async () => {
      isDone = true;
    },
    trouble: "unfinished",
    log: serviceContext("test").log,
  });
  await finishing.first;
  await finishing.close();
  return isDone;
}

test("what an earlier process began is finished at once, what was begun a moment ago is left to who does it", async () => {
  assert.equal(await finished(Date.now() - 1), true);
  assert.equal(await finished(Date.now() + 2_000), false);
});

test("what was begun while the clock was an hour fast is finished now, not in an hour", async () => {
  assert.equal(await finished(Date.now() + hourMs), true);
});
