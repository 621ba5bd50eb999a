import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@parley/protocol";
import { createOrdering } from "./ordering.ts";

const message = (seq: number, conv = "room/r1"): Message => ({
  conv,
  seq,
  from: "alice",
  device: "alice:web",
  ts: 1,
  id: `m${seq}`,
  to: "room/r1",
  content: { type: "text" },
});
const seqs = (messages: Message[]) => messages.map(({ seq }) => seq).join(" ");

test("messages are shown in seq order, whatever order they arrive in", () => {
  const ordering = createOrdering();
  assert.equal(seqs(ordering.take(message(2))), "");
  assert.equal(seqs(ordering.take(message(3))), "");
  assert.equal(seqs(ordering.take(message(1))), "1 2 3");
});

test("a message is shown once, however often it arrives", () => {
  const ordering = createOrdering();
  ordering.take(message(3));
  const shown = [1, 1, 2, 3, 2, 1, 4, 4].map((seq) => seqs(ordering.take(message(seq))));
  assert.deepEqual(shown, ["1", "", "2 3", "", "", "", "4", ""]);
});

test("nothing at or before a cursor is shown again", () => {
  const ordering = createOrdering({ "room/r1": 5 });
  assert.equal(seqs(ordering.take(message(5))), "");
  assert.equal(seqs(ordering.take(message(6))), "6");
  assert.deepEqual(ordering.cursors(), { "room/r1": 6 });
});

test("a gap is known until it is filled", () => {
  const ordering = createOrdering({ "room/r1": 1 });
  ordering.take(message(5));
  ordering.take(message(4));
  assert.deepEqual(ordering.gap("room/r1"), { conv: "room/r1", after: 1, before: 4 });
  assert.equal(seqs(ordering.fill("room/r1", [message(2), message(3)], 3)), "2 3 4 5");
  assert.equal(ordering.gap("room/r1"), undefined);
  assert.deepEqual(ordering.gaps(), []);
});

test("what the server does not show us is passed over, not waited for", () => {
  const ordering = createOrdering();
  ordering.take(message(9));
  assert.equal(seqs(ordering.fill("room/r1", [message(7), message(8)], 8)), "7 8 9");
  assert.equal(seqs(ordering.fill("room/r1", [], 20)), "");
  assert.deepEqual(ordering.cursors(), { "room/r1": 20 });
});

test("a fill that brings what came live meanwhile shows it once", () => {
  const ordering = createOrdering();
  ordering.take(message(2));
  assert.equal(seqs(ordering.fill("room/r1", [message(1), message(2), message(3)], 3)), "1 2 3");
  assert.equal(seqs(ordering.take(message(3))), "");
});

test("one conversation's gap holds up no other", () => {
  const ordering = createOrdering();
  ordering.take(message(2));
  assert.equal(seqs(ordering.take(message(1, "p2p/alice/bob"))), "1");
});

test("what was shown already is no gap, and no fill shows it again", () => {
  const ordering = createOrdering({ "room/r1": 5 });
  ordering.take(message(3));
  assert.deepEqual(ordering.gaps(), []);
  assert.equal(seqs(ordering.fill("room/r1", [message(4), message(5), message(6)], 6)), "6");
});

test("after a skip only what lies behind it is shown or missing", () => {
  const ordering = createOrdering();
  ordering.take(message(4));
  ordering.take(message(9));
  ordering.skip("room/r1", 7);
  assert.deepEqual(ordering.gaps(), [{ conv: "room/r1", after: 7, before: 9 }]);
  assert.equal(seqs(ordering.take(message(8))), "8 9");
});

test("of what comes while a message is missing a thousand are kept, the rest is left to the next sync", () => {
  const ordering = createOrdering();
  for (let seq = 2; seq <= 5_000; seq++) ordering.take(message(seq));
  assert.equal(ordering.take(message(1)).length, 1_001);
  assert.deepEqual(ordering.cursors(), { "room/r1": 1_001 });
});

test("a message that is announced is a gap until it is filled, also without a later one", () => {
  const ordering = createOrdering({ "room/r1": 3 });
  ordering.announce("room/r1", 3);
  assert.equal(ordering.gap("room/r1"), undefined);
  ordering.announce("room/r1", 5);
  assert.deepEqual(ordering.gaps(), [{ conv: "room/r1", after: 3, before: 6 }]);
  ordering.take(message(6));
  assert.equal(seqs(ordering.fill("room/r1", [message(4), message(5)], 5)), "4 5 6");
  assert.deepEqual(ordering.gaps(), []);
});
