import assert from "node:assert/strict";
import { test } from "node:test";
import { readSeconds, readTime } from "./read-time.ts";

test("a time is a date with hours, in this machine's time unless it says another, or so long from now", () => {
  assert.equal(readTime("--at", "2030-01-31T18:00Z"), Date.UTC(2030, 0, 31, 18));
  assert.equal(readTime("--at", "2030-01-31 18:00"), new Date(2030, 0, 31, 18).getTime());
  assert.equal(readTime("--at", "+90m", 1_000), 1_000 + 90 * 60_000);
  for (const text of ["tomorrow", "+5", "+1w", "18:00", "2030-13-01T00:00", "2030", ""])
    assert.throws(() => readTime("--at", text), /--at/);
});

test("how long is a number and a unit", () => {
  assert.deepEqual(
    ["30s", "2m", "1h", "1d"].map((text) => readSeconds("--expires", text)),
    [30, 120, 3_600, 86_400],
  );
  for (const text of ["0s", "30", "1w", "-1s", ""]) assert.throws(() => readSeconds("--expires", text), /--expires/);
});
