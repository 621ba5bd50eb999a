import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "@parley/testkit";
import { type Marks, startReceipts } from "./receipts.ts";

function receiptsOf(t: TestContext, { everyMs = 60_000, fails = (): boolean => false } = {}) {
  const published: ({ conv: string } & Marks)[] = [];
  const receipts = startReceipts({
    everyMs,
    random: () => 0,
    publish(packet, done) {
      published.push({ ...packet });
      done(fails() ? new Error("lost") : undefined);
    },
  });
  t.after(receipts.close);
  return { receipts, published };
}

test("the first mark goes at once, those within the interval as one when it is over", async (t) => {
  const { receipts, published } = receiptsOf(t, { everyMs: 20 });
  receipts.setOnline(true);
  for (const delivered of [1, 2, 3]) receipts.mark("room/r1", { delivered });
  receipts.mark("room/r1", { read: 2 });
  assert.deepEqual(published, [{ id: "mark-0", conv: "room/r1", delivered: 1 }]);
  await eventually(() => published.length === 2);
  assert.deepEqual(published[1], { id: "mark-0", conv: "room/r1", delivered: 3, read: 2 });
});

test("marks only move forward; one that does not move is not sent", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 5 });
  receipts.mark("room/r1", { read: 4 });
  receipts.mark("room/r1", { read: 5 });
  receipts.close();
  assert.deepEqual(published, [{ id: "mark-0", conv: "room/r1", read: 5 }]);
});

test("offline marks are sent when there is a connection, and those that got lost with the next one", async (t) => {
  let lost = true;
  const { receipts, published } = receiptsOf(t, { everyMs: 5, fails: () => lost });
  receipts.mark("room/r1", { delivered: 7 });
  assert.deepEqual(published, []);
  receipts.setOnline(true);
  assert.equal(published.length, 1);
  receipts.setOnline(false);
  lost = false;
  receipts.setOnline(true);
  await eventually(() => published.length >= 2);
  assert.deepEqual(published.at(-1), { id: "mark-0", conv: "room/r1", delivered: 7 });
});

test("what waits for its second is sent when the client closes", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 1 });
  receipts.mark("room/r1", { read: 2 });
  receipts.close();
  assert.deepEqual(published.at(-1), { id: "mark-0", conv: "room/r1", read: 2 });
});

test("one conversation's interval holds up no other", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 1 });
  receipts.mark("room/r2", { read: 1 });
  assert.equal(published.length, 2);
});

test("a mark that is refused for now is sent again; one that is refused for good is not, and is told", async (t) => {
  const { receipts, published } = receiptsOf(t, { everyMs: 5 });
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 1 });
  receipts.mark("room/r2", { read: 2 });
  assert.equal(receipts.refused("mark-1", "rate_limited"), true);
  await eventually(() => published.length === 3);
  assert.deepEqual(published[2], { id: "mark-1", conv: "room/r2", read: 2 });
  assert.equal(receipts.refused("mark-1", "unavailable"), true);
  await eventually(() => published.length === 4);
  assert.equal(receipts.refused("mark-0", "not_member"), false);
  for (const id of ["mark-9", "mark-", "1", null]) assert.equal(receipts.refused(id, "unavailable"), false);
});

test("a read mark that the server turns out not to have is sent again, and one that is further than ours is kept", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.mark("room/r1", { read: 5 });
  receipts.setOnline(true);
  receipts.told("room/r1", { read: 5, lastSeq: 9 });
  receipts.told("room/r2", { read: 7, lastSeq: 9 });
  receipts.mark("room/r2", { read: 6 });
  assert.equal(published.length, 1);
  receipts.told("room/r1", { read: 4, lastSeq: 9 });
  receipts.told("room/r1", { read: 4, lastSeq: 4 });
  receipts.close();
  assert.deepEqual(published.at(-1), { id: "mark-0", conv: "room/r1", read: 5 });
  assert.equal(published.length, 2);
});

test("of an earlier run's marks those are sent that the server had not had", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.remember("room/r1", { read: 5, delivered: 6 }, 5);
  receipts.remember("room/r2", { read: 5 }, 3);
  receipts.setOnline(true);
  assert.deepEqual(published, [{ id: "mark-1", conv: "room/r2", read: 5 }]);
});
