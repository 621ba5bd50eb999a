import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, takenOverBackoffMs } from "./backoff.ts";

test("the wait is anywhere between nothing and 50 ms, 100, 200 … 5,000", () => {
  const longest = [0, 1, 2, 3, 6, 7, 100, 5_000].map((attempt) => backoffMs(attempt, () => 1));
  assert.deepEqual(longest, [50, 100, 200, 400, 3_200, 5_000, 5_000, 5_000]);
  assert.equal(
    backoffMs(7, () => 0),
    0,
  );
});

test("a herd of sessions spreads over the whole wait", () => {
  const waits = Array.from({ length: 1_000 }, () => backoffMs(10));
  for (let from = 0; from < 5_000; from += 500) {
    const here = waits.filter((wait) => wait >= from && wait < from + 500).length;
    assert.ok(here > 50 && here < 200, `${here} of 1,000 between ${from} and ${from + 500} ms`);
  }
});

test("a session that was taken over stays away for at least a second", () => {
  assert.equal(
    takenOverBackoffMs(0, () => 0),
    1_000,
  );
  assert.equal(
    takenOverBackoffMs(100, () => 1),
    6_000,
  );
});
