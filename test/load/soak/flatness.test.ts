import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, type Point, pastStart, theilSen } from "./flatness.ts";

const minutes = (count: number, value: (minute: number) => number): Point[] =>
  Array.from({ length: count }, (_, minute) => ({ at: 60 * minute, value: value(minute) }));

test("a leak of a MiB a minute is not flat", () => {
  const { flat, perHour } = judge(minutes(20, (minute) => 150 + minute));
  assert.equal(flat, false);
  assert.ok(Math.abs(perHour - 60) < 1e-6);
});

test("memory that swings with the garbage collector and does not grow is flat", () => {
  assert.equal(judge(minutes(20, (minute) => 150 + (minute % 4) * 10)).flat, true);
});

test("single high points do not make a slope", () => {
  assert.equal(theilSen(minutes(20, (minute) => (minute > 16 ? 900 : 150))), 0);
});

test("memory that shrinks is flat", () => {
  assert.equal(judge(minutes(20, (minute) => 400 - 10 * minute)).flat, true);
});

test("the first third of a run is not judged", () => {
  const points = minutes(31, (minute) => Math.min(150, 50 + 10 * minute));
  assert.equal(pastStart(points)[0]?.at, 600);
  assert.equal(judge(pastStart(points)).flat, true);
});

test("a run that was stopped at once has no slope and is no error", () => {
  assert.equal(judge([]).growth, 0);
  assert.equal(judge([{ at: 0, value: 10 }]).flat, true);
});
