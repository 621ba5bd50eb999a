import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs, doubledMs } from "./backoff.ts";

const backoff = { baseMs: 50, maxMs: 5_000 };

test("the wait is anywhere between half the base and the base, doubled at each attempt, up to the most", () => {
  const longest = [1, 2, 3, 7, 8, 100, 5_000].map((attempt) => backoffMs(attempt, backoff, () => 1));
  assert.deepEqual(longest, [50, 100, 200, 3_200, 5_000, 5_000, 5_000]);
  assert.equal(
    backoffMs(8, backoff, () => 0),
    25,
  );
});

test("without jitter the wait is the base, doubled at each attempt, up to the most", () => {
  const waits = [1, 2, 3, 7, 8, 5_000].map((attempt) => doubledMs(attempt, backoff));
  assert.deepEqual(waits, [50, 100, 200, 3_200, 5_000, 5_000]);
});

test("a herd spreads over the whole wait", () => {
  const waits = Array.from({ length: 1_000 }, () => backoffMs(10, backoff));
  for (let from = 0; from < 5_000; from += 500) {
    const here = waits.filter((wait) => wait >= from && wait < from + 500).length;
    assert.ok(here > 50 && here < 200, `${here} of 1,000 between ${from} and ${from + 500} ms`);
  }
});
