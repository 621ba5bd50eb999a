import assert from "node:assert/strict";
import { test } from "node:test";
import { plotSvg, ticks } from "./plot.ts";

test("ticks are round numbers, few enough to read", () => {
  assert.deepEqual(ticks(30), [0, 5, 10, 15, 20, 25, 30]);
  assert.deepEqual(ticks(343), [0, 100, 200, 300]);
  assert.deepEqual(ticks(3), [0, 0.5, 1, 1.5, 2, 2.5, 3]);
});

test("names that end at the same height stand apart, inside the drawing", () => {
  const lines = Array.from({ length: 12 }, (_, n) => ({
    name: `part-${n} <&>`,
    points: [
      { at: 0, value: 5 },
      { at: 600, value: 9 },
    ],
  }));
  const svg = plotSvg({
    title: "Memory",
    unit: "MiB",
    lines: [...lines, { name: "high", points: [{ at: 600, value: 400 }] }],
  });
  const heights = [...svg.matchAll(/class="label [^>]* y="([\d.]+)"/g)].map(([, y]) => Number(y)).sort((a, b) => a - b);
  assert.equal(heights.length, 13);
  for (const [index, y] of heights.entries()) {
    assert.ok(y > 40 && y < 500, `${y}`);
    if (index > 0) assert.ok(y - (heights[index - 1] ?? 0) >= 18, `${heights[index - 1]} and ${y}`);
  }
  assert.doesNotMatch(svg, /<&>/);
});

test("a run without a sample is an empty drawing and no error", () => {
  assert.match(plotSvg({ title: "Memory", unit: "MiB", lines: [] }), /<svg/);
});
