import assert from "node:assert/strict";
import { test } from "node:test";
import { readTime } from "./read-time.ts";

test("a time is a date with hours, in this machine's time unless it says another, or so long from now", () => {
  assert.equal(readTime("--at", "2030-01-31T18:00Z"), Date.UTC(2030, 0, 31, 18));
  assert.equal(readTime("--at", "2030-01-31 18:00"), new Date(2030, 0, 31, 18).getTime());
  assert.equal(readTime("--at", "+90m", 1_000), 1_000 + 90 * 60_000);
  for (const text of ["tomorrow", "+5", "+1w", "18:00", "2030-13-01T00:00", "2030", ""])
    assert.throws(() => readTime("--at", text), /--at/);
});
