import assert from "node:assert/strict";
import { test } from "node:test";
import { endedInTheEnd, nothingElseGoes, nowhereBehindIt, readUntilItsTime } from "./lives.ts";
import type { Glimpse, Remains, RunRecord, Said, Vanishing } from "./record.ts";

const conv = "p2p/reads/writes";
const said = (id: string, seq: number, storedAt: number): Said => ({
  id,
  firstAt: storedAt - 5,
  answer: "stored",
  answeredAt: storedAt + 5,
  place: { conv, seq, ts: performance.timeOrigin + storedAt },
});
const whole = (seq: number, id: string): Remains => ({ seq, from: "writes", id, type: "text", text: id, ended: false });
const over = (seq: number): Remains => {
  return { seq, from: "writes", id: "", type: "erased", text: undefined, ended: true };
};
const glimpse = (what: Glimpse["what"], askedAt: number, ids: string[]): Glimpse => {
  return { what, askedAt, answeredAt: askedAt + 10, from: what === "search" ? undefined : 1, ids: new Set(ids) };
};

// One stays, one lives 2 s, one 3 s from its first reading, which was at 6,000.
const right = (): Vanishing => ({
  said: [said("stays", 1, 1_000), said("short", 2, 1_100), said("read", 3, 1_200)],
  lives: new Map([
    ["short", { seconds: 2, from: "sent" }],
    ["read", { seconds: 3, from: "read" }],
  ]),
  reads: [{ seq: 3, at: 6_000 }],
  glimpses: [
    glimpse("history", 2_000, ["stays", "short", "read"]),
    glimpse("search", 2_100, ["stays"]),
    glimpse("sync", 4_000, ["stays", "read"]),
    glimpse("history", 12_000, ["stays"]),
  ],
  last: [whole(1, "stays"), over(2), over(3)],
  recalled: new Set([2, 3]),
  cached: new Set(["stays"]),
});

function broken(change: Partial<Vanishing>, about: Partial<RunRecord> = {}): string[] {
  const vanishing = { ...right(), ...change };
  const rules = { readUntilItsTime, nowhereBehindIt, endedInTheEnd, nothingElseGoes };
  const record = { vanishing, skews: [], liveComplete: true, ...about } as unknown as RunRecord;
  return Object.entries(rules).flatMap(([name, rule]) => ([...rule(record, new Map())].length > 0 ? [name] : []));
}

const seen = (...glimpses: Glimpse[]) => ({ glimpses });

test("a run in which messages disappear when they should breaks no rule about them", () => {
  assert.deepEqual(broken({}), []);
});

test("a message that is gone before its time is seen, unless a clock was wrong", () => {
  assert.deepEqual(broken(seen(glimpse("history", 2_500, ["stays", "read"]))), ["readUntilItsTime"]);
  assert.deepEqual(broken(seen(glimpse("sync", 8_000, ["stays"]))), ["readUntilItsTime"], "counted from its reading");
  assert.deepEqual(broken(seen(glimpse("sync", 8_000, ["stays"])), { skews: [[1_000, 2_000]] }), []);
});

test("a message that is anywhere behind its time is seen, unless a clock was wrong", () => {
  for (const what of ["history", "sync", "search"] as const) {
    const late = seen(glimpse(what, 3_500, ["stays", "short", "read"]));
    assert.deepEqual(broken(late), ["nowhereBehindIt"]);
    assert.deepEqual(broken(late, { skews: [[3_000, 3_600]] }), []);
  }
  assert.deepEqual(broken({ cached: new Set(["read"]) }), ["nowhereBehindIt"]);
});

test("a message whose end is not stored, holds something, or never came live is seen", () => {
  assert.deepEqual(broken({ last: [whole(1, "stays"), { ...over(2), ended: false }, over(3)] }), ["endedInTheEnd"]);
  assert.deepEqual(broken({ last: [whole(1, "stays"), over(2), { ...over(3), text: "read" }] }), ["endedInTheEnd"]);
  assert.deepEqual(broken({ recalled: new Set([2]) }), ["endedInTheEnd"]);
  assert.deepEqual(broken({ recalled: new Set([2]) }, { liveComplete: false }), []);
});

test("a message that is to stay and goes, a gap, and one without an answer are seen", () => {
  assert.deepEqual(broken(seen(glimpse("history", 2_000, ["short", "read"]))), ["nothingElseGoes"]);
  assert.deepEqual(broken({ last: [over(1), over(2), over(3)] }), ["nothingElseGoes"]);
  assert.deepEqual(broken({ last: [whole(1, "stays"), over(2), { ...over(3), seq: 4 }] }), [
    "endedInTheEnd",
    "nothingElseGoes",
  ]);
  const silent: Said = { id: "silent", firstAt: 5_000 };
  assert.deepEqual(broken({ said: [...right().said, silent] }), ["nothingElseGoes"]);
});
