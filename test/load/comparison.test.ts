import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, type Found, worseBy } from "./comparison.ts";

const found = (rate: number, cpu: number, more: string[] = []): Found => ({
  pairs: [
    {
      title: "1:1",
      notes: [],
      figures: ["32 in flight", ...more].map((what) => ({
        what,
        value: rate,
        unit: "/s",
        baseline: { what: "raw broker", value: 1 },
      })),
      tables: [{ head: ["CPU µs a message", "router"], rows: [["32 in flight", cpu]] }],
    },
  ],
});

test("two builds are compared by the middle of the rounds, not by the best or the mean", () => {
  const { figures, numbers } = compare([
    { now: found(90, 40), before: found(100, 40) },
    { now: found(10, 44), before: found(100, 40) },
    { now: found(190, 60), before: found(200, 40) },
  ]);
  assert.deepEqual(figures, [
    { what: "1:1: 32 in flight", unit: "/s", now: 90, before: 100, middle: 0.9, ratios: [0.9, 0.1, 0.95] },
  ]);
  assert.deepEqual(
    numbers.map(({ what, middle }) => [what, middle]),
    [["1:1: 32 in flight: router", 1.1]],
  );
});

test("an even number of rounds takes the mean of the two in the middle", () => {
  const { figures } = compare([
    { now: found(80, 1), before: found(100, 1) },
    { now: found(120, 1), before: found(100, 1) },
  ]);
  assert.deepEqual([figures[0]?.now, figures[0]?.middle], [100, 1]);
});

test("a figure that only one build has is left out", () => {
  const { figures } = compare([{ now: found(1, 1, ["new"]), before: found(1, 1) }]);
  assert.deepEqual(
    figures.map(({ what }) => what),
    ["1:1: 32 in flight"],
  );
});

test("of a rate less is worse, of a time or a cost more", () => {
  const worse = (unit: string, middle: number) => Number(worseBy({ unit, middle }).toFixed(3));
  assert.deepEqual(
    [worse("/s", 0.8), worse("MB/s", 1.25), worse("ms", 1.25), worse("MiB", 0.5)],
    [0.25, -0.2, 0.25, -0.5],
  );
});
