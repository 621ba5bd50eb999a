import assert from "node:assert/strict";
import { test } from "node:test";
import { floorGrows, floorTrend, growsSurely, type Point, pastStart, trendOf } from "./flatness.ts";

const everyTenSeconds = (minutes: number, value: (minute: number) => number): Point[] =>
  Array.from({ length: 6 * minutes + 1 }, (_, index) => ({ at: 10 * index, value: value(index / 6) }));
/** V8's heap: fills for three minutes and a half, then is collected. */
const sawTooth = (minute: number) => 130 * ((minute % 3.5) / 3.5);

test("a leak of a MiB a minute is found", () => {
  const trend = trendOf(everyTenSeconds(20, (minute) => 150 + minute));
  assert.equal(growsSurely(trend), true);
  assert.ok(Math.abs(trend.perHour - 60) < 1e-6);
});

test("memory that swings with the garbage collector is flat, however the run cuts the swings", () => {
  for (let offset = 0; offset < 3.5; offset += 0.25) {
    const points = everyTenSeconds(20, (minute) => 180 + sawTooth(minute + offset));
    assert.equal(growsSurely(trendOf(points)), false, `${offset}`);
    assert.equal(floorGrows(floorTrend(points)), false, `${offset}`);
  }
});

test("a leak below the swings is found by what stays after collections", () => {
  const points = everyTenSeconds(20, (minute) => 40 + minute + sawTooth(minute));
  assert.equal(floorGrows(floorTrend(points)), true);
});

test("single high points make no slope", () => {
  assert.equal(trendOf(everyTenSeconds(20, (minute) => (minute > 16 ? 900 : 150))).perHour, 0);
});

test("memory that shrinks is flat", () => {
  assert.equal(growsSurely(trendOf(everyTenSeconds(20, (minute) => 400 - 10 * minute))), false);
});

test("the first third of a run is not judged", () => {
  const points = everyTenSeconds(30, (minute) => Math.min(150, 50 + 10 * minute));
  assert.equal(pastStart(points)[0]?.at, 600);
  assert.equal(growsSurely(trendOf(pastStart(points))), false);
});

test("a run that was stopped at once has no slope and is no error", () => {
  assert.equal(trendOf([]).growth, 0);
  assert.equal(growsSurely(trendOf([{ at: 0, value: 10 }])), false);
});
