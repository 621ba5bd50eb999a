import assert from "node:assert/strict";
import { test } from "node:test";
import { blockEnds, blockHolds, blocksAnswered, refusedNowhere } from "./blocks.ts";
import type { Blocking, RunRecord } from "./record.ts";
import { noBlocking } from "./rules-broken.ts";

// Blocked from 100 to 200, open before and after; "late" was said while it was open and answered while it was not.
const right: Blocking = {
  ...noBlocking,
  said: [
    { id: "before", firstAt: 10, answer: "stored", answeredAt: 20 },
    { id: "late", firstAt: 90, answer: "stored", answeredAt: 120 },
    { id: "meanwhile", firstAt: 110, answer: "refused", answeredAt: 130 },
    { id: "after", firstAt: 220, answer: "stored", answeredAt: 230 },
  ],
  blocked: [[100, 200]],
  open: [
    [0, 95],
    [210, 300],
  ],
  stored: new Set(["before", "late", "after"]),
  live: new Map([
    ["before", 30],
    ["after", 240],
  ]),
};

const said = (id: string, change: object) => ({
  said: right.said.map((one) => (one.id === id ? { ...one, ...change } : one)),
});

function broken(change: Partial<Blocking>): string[] {
  const record = { blocking: { ...right, ...change } } as RunRecord;
  const rules = { blockHolds, blockEnds, refusedNowhere, blocksAnswered };
  return Object.entries(rules).flatMap(([name, rule]) => ([...rule(record, new Map())].length > 0 ? [name] : []));
}

test("a run in which blocks hold breaks no rule about them", () => {
  assert.deepEqual(broken({}), []);
});

test("a message that is stored while a block holds breaks the rule", () => {
  const stored = new Set([...right.stored, "meanwhile"]);
  const change = { ...said("meanwhile", { answer: "stored" }), stored };
  assert.deepEqual(broken(change), ["blockHolds"]);
});

test("a message that is refused after a block has ended breaks the rule", () => {
  const stored = new Set(["before", "late"]);
  const live = new Map([["before", 30]]);
  assert.deepEqual(broken({ ...said("after", { answer: "refused" }), stored, live }), ["blockEnds"]);
});

test("a message that was refused and comes live while the block holds, and one that was acknowledged and is not there, are seen", () => {
  const live = new Map([["meanwhile", 199]]);
  assert.deepEqual(broken({ live }), ["refusedNowhere"]);
  assert.deepEqual(broken({ stored: new Set(["before", "after"]) }), ["refusedNowhere"]);
});

test("a refusal that comes when a later block holds says nothing about what was taken in between", () => {
  const stored = new Set([...right.stored, "slow"]);
  const slow = { id: "slow", firstAt: 50, answer: "refused" as const, answeredAt: 130 };
  assert.deepEqual(broken({ said: [...right.said, slow], stored, live: new Map([...right.live, ["slow", 140]]) }), []);
});

test("a packet that the broker hands over again after the block is taken then", () => {
  const stored = new Set([...right.stored, "meanwhile"]);
  assert.deepEqual(broken({ stored, live: new Map([["meanwhile", 201]]) }), []);
});

test("a message without an answer and a block that was refused are seen", () => {
  const { answer: _, answeredAt: __, ...silent } = right.said[3] as (typeof right.said)[number];
  assert.deepEqual(broken({ said: [silent] }), ["refusedNowhere"]);
  assert.deepEqual(broken({ refused: ["roster.block: internal"] }), ["blocksAnswered"]);
});
