import assert from "node:assert/strict";
import { test } from "node:test";
import { conversationKind, ingestKind, type Kind } from "./kinds.ts";
import { busiestShare, loadsOf, zipf } from "./traffic.ts";

const threeKeys: Kind = { ...ingestKind, keys: ["0", "1", "2"], keyOf: (n) => String(n % 2) };

test("Zipf's shares are 1/rank to the exponent, of one in all", () => {
  assert.deepEqual([...zipf(4, 0)], [0.25, 0.25, 0.25, 0.25]);
  assert.deepEqual([...zipf(2, 1)], [2 / 3, 1 / 3]);
  assert.deepEqual([...zipf(2, 2)], [0.8, 0.2]);
});

test("a partition has what falls into it, and none that nothing falls into is left out", () => {
  const [even, skewed] = loadsOf(threeKeys, [zipf(4, 0), Float64Array.of(0.5, 0.25, 0.125, 0.125)]);
  assert.deepEqual(
    [...(even ?? [])],
    [
      ["0", 0.5],
      ["1", 0.5],
      ["2", 0],
    ],
  );
  assert.deepEqual(
    [...(skewed ?? [])],
    [
      ["0", 0.625],
      ["1", 0.375],
      ["2", 0],
    ],
  );
});

test("a replica has the traffic of all that it holds", () => {
  const load = new Map([
    ["0", 0.5],
    ["1", 0.3],
    ["2", 0.2],
  ]);
  assert.equal(busiestShare([new Set(["0"]), new Set(["1", "2"])], load), 0.5);
  assert.equal(busiestShare([new Set(["0", "2"]), new Set(["1"]), new Set()], load), 0.7);
});

test("conversations and devices fall into the partitions that the services put them into", () => {
  // md5("room/room0") begins with 2a, md5("user0:phone") with 0.
  assert.equal(conversationKind.keyOf(0), String(0x2a));
  assert.equal(ingestKind.keyOf(0), "0");
  for (const kind of [conversationKind, ingestKind])
    for (let n = 0; n < 1_000; n++) assert.ok(kind.keys.includes(kind.keyOf(n)));
});
