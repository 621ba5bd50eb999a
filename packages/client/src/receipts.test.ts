import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "@parley/testkit";
import { type Marks, startReceipts } from "./receipts.ts";

function receiptsOf(t: TestContext, { everyMs = 60_000, fails = (): boolean => false } = {}) {
  const published: ({ conv: string } & Marks)[] = [];
  const receipts = startReceipts({
    everyMs,
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
  assert.deepEqual(published, [{ conv: "room/r1", delivered: 1 }]);
  await eventually(() => published.length === 2);
  assert.deepEqual(published[1], { conv: "room/r1", delivered: 3, read: 2 });
});

test("marks only move forward; one that does not move is not sent", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 5 });
  receipts.mark("room/r1", { read: 4 });
  receipts.mark("room/r1", { read: 5 });
  receipts.close();
  assert.deepEqual(published, [{ conv: "room/r1", read: 5 }]);
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
  assert.deepEqual(published.at(-1), { conv: "room/r1", delivered: 7 });
});

test("what waits for its second is sent when the client closes", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 1 });
  receipts.mark("room/r1", { read: 2 });
  receipts.close();
  assert.deepEqual(published.at(-1), { conv: "room/r1", read: 2 });
});

test("one conversation's interval holds up no other", (t) => {
  const { receipts, published } = receiptsOf(t);
  receipts.setOnline(true);
  receipts.mark("room/r1", { read: 1 });
  receipts.mark("room/r2", { read: 1 });
  assert.equal(published.length, 2);
});
