import assert from "node:assert/strict";
import { test } from "node:test";
import { startUlids } from "./ulid.ts";

test("ids are ULIDs, each greater than the one before, within a millisecond and when the clock goes back", () => {
  const times = [1_000, 1_000, 1_000, 999, 5, 1_001, 1_001];
  const next = startUlids(() => times.shift() ?? 2_000);
  const ids = Array.from({ length: 5_000 }, next);
  for (const id of ids) assert.match(id, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test("the first ten characters are the time", () => {
  assert.ok(startUlids(() => 1_469_918_176_385)().startsWith("01ARYZ6S41"));
});

test("two devices that start in the same millisecond make different ids", () => {
  assert.notEqual(startUlids(() => 1)(), startUlids(() => 1)());
});
