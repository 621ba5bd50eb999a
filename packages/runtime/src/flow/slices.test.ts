import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextLoop } from "node:timers/promises";
import { openSlices } from "./slices.ts";

function busy(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until; );
}

test("work that takes long leaves the event loop between two pieces, and is done in the order in which it came", async () => {
  const slices = openSlices();
  const seen: string[] = [];
  const all = ["a", "b", "c"].map(async (name) => {
    await slices.turn();
    busy(2);
    seen.push(name);
    setImmediate(() => seen.push("something else"));
  });
  await Promise.all(all);
  await nextLoop();
  assert.deepEqual(seen, ["a", "something else", "b", "something else", "c", "something else"]);
});

test("many small pieces share a slice, and what comes meanwhile comes behind them", async () => {
  const slices = openSlices();
  const seen: number[] = [];
  let loops = 0;
  let isOver = false;
  const counting = (async () => {
    for (; !isOver; loops++) await nextLoop();
  })();
  const piece = async (n: number) => {
    await slices.turn();
    seen.push(n);
    if (n < 100) await piece(n + 100);
  };
  await Promise.all(Array.from({ length: 100 }, (_, n) => piece(n)));
  isOver = true;
  await counting;
  assert.deepEqual(seen, [...Array(200).keys()]);
  assert.ok(loops < 60, `${loops} turns of the event loop`);
});
