import assert from "node:assert/strict";
import { test } from "node:test";
import { openPacketIds } from "./packet-ids.ts";

test("the edge takes no packet id that the device or itself has under way", () => {
  const ids = openPacketIds();
  for (const used of [65_535, 65_533]) ids.used(used);
  assert.deepEqual([ids.take(), ids.take(), ids.take()], [65_534, 65_532, 65_531]);
  assert.equal(ids.answered(65_535), false);
  assert.equal(ids.answered(65_534), true);
  assert.equal(ids.answered(65_534), false);
  ids.free(65_533);
  const taken = Array.from({ length: 998 }, () => ids.take());
  assert.equal(new Set(taken).size, 998);
  assert.equal(ids.take(), undefined, "a broker that answers nothing is asked no more");
  ids.answered(65_532);
  assert.equal(typeof ids.take(), "number");
});

test("the edge publishes no more than the broker takes at once, beside what the device does", () => {
  const ids = openPacketIds(3);
  ids.used(1);
  assert.deepEqual([ids.take(), ids.take(), ids.take()], [65_535, 65_534, undefined]);
  ids.free(1);
  assert.equal(ids.take(), 65_533);
});

test("packet ids begin again behind the lowest", () => {
  const ids = openPacketIds();
  for (let round = 0; round < 65_534; round++) ids.answered(ids.take()!);
  assert.deepEqual([ids.take(), ids.take()], [1, 65_535]);
});
