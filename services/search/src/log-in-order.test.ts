// The log in the order of time, from wherever it stopped.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "@parley/protocol";
import { logInOrder } from "./log-in-order.ts";

const names = { conv: "room/r", from: "ann", device: "d", type: "text", memberSeq: 1, body: new Uint8Array(9) };

/** Three partitions, one of them with a hole, one empty. */
const log: StoredEntry[][] = [
  Array.from({ length: 500 }, (_, at) => ({ ...names, pos: at + 1, seq: at + 1, ts: at * 3 })),
  [],
  Array.from({ length: 300 }, (_, at) => ({ ...names, pos: at + 51, seq: at + 1, ts: at * 5 + 1 })),
];
const ends = [500, 0, 350];
const read = async (q: number, after: number) => (log[q] ?? []).filter(({ pos }) => pos > after).slice(0, 70);

async function walk(from: number[], to = ends) {
  const entries: StoredEntry[] = [];
  let positions = from;
  for await (const batch of logInOrder(read, from, to)) {
    entries.push(...batch.entries);
    positions = batch.positions;
  }
  return { entries, positions };
}

test("every entry comes once, the earliest first, and the positions are the ends", async () => {
  const { entries, positions } = await walk([0, 0, 0]);
  const expected = log.flat().sort((one, other) => one.ts - other.ts);
  assert.deepEqual(
    entries.map(({ ts }) => ts),
    expected.map(({ ts }) => ts),
  );
  assert.deepEqual(positions, ends);
});

test("stopped after any batch and gone on with its positions, nothing is left out or comes twice", async () => {
  const seen: StoredEntry[] = [];
  let from = [0, 0, 0];
  for (let stops = 0; stops < 20; stops += 1) {
    const { value, done } = await logInOrder(read, from, ends).next();
    if (done) break;
    seen.push(...value.entries);
    from = value.positions;
  }
  assert.equal(seen.length, 800);
  assert.equal(new Set(seen).size, 800);
});

test("what is behind the ends is left for later", async () => {
  const { entries } = await walk([0, 0, 0], [10, 0, 60]);
  assert.equal(entries.length, 20);
  assert.deepEqual((await walk([10, 0, 60], [10, 0, 60])).entries, []);
});
