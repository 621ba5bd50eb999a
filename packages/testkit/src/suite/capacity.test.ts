import assert from "node:assert/strict";
import { test } from "node:test";
import { watchCapacity } from "./capacity.ts";

/** A machine whose cores are idle for a share of the time, and how much it is given after each of so many looks. */
function given(looks: number, share: number, isBehind = false): number[] {
  let at = 0;
  const capacity = watchCapacity(
    () => ({ idle: at * share, total: at }),
    () => at,
    () => isBehind,
  );
  return Array.from({ length: looks }, () => {
    at += 5_000;
    return capacity();
  });
}

test("more files run at once while the machine is idle, one step at a time, and no more than twice as many", () => {
  assert.deepEqual(given(8, 0.5), [7, 8, 9, 10, 11, 12, 12, 12]);
});

test("a machine that was behind and has idle cores now is given more", () => {
  assert.deepEqual(given(2, 0.5, true), [7, 8]);
});

test("a machine that is busy is given what it bears, and one that is behind half of it", () => {
  assert.deepEqual(given(2, 0.1), [6, 6]);
  assert.deepEqual(given(2, 0.1, true), [3, 3]);
});
