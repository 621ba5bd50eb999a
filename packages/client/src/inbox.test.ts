import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { AppError, type Message } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { startInbox } from "./inbox.ts";

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

type History = (params: { conv: string; after?: number }) => Message[] | Promise<Message[]>;

function inboxOf(t: TestContext, history: History, cursors: Record<string, number> = {}) {
  const shown: number[] = [];
  const asked: (number | undefined)[] = [];
  const inbox = startInbox({
    cursors,
    gapWaitMs: 5,
    show: ({ seq }) => shown.push(seq),
    async getHistory(params) {
      asked.push(params.after);
      const messages = await history(params);
      return { messages, firstSeq: 1, lastSeq: 99, more: false };
    },
  });
  t.after(inbox.close);
  return { inbox, shown, asked };
}

test("a gap is filled from history, and each message shown once", async (t) => {
  const { inbox, shown, asked } = inboxOf(t, () => [message(2), message(3), message(4)]);
  inbox.setFilling(true);
  inbox.receive(message(1));
  inbox.receive(message(4));
  await eventually(() => shown.length === 4);
  assert.deepEqual([shown, asked], [[1, 2, 3, 4], [1]]);
});

test("what comes a little late needs no question", async (t) => {
  const { inbox, shown, asked } = inboxOf(t, () => []);
  inbox.setFilling(true);
  inbox.receive(message(2));
  inbox.receive(message(1));
  inbox.receive(message(5));
  await eventually(() => shown.length === 3);
  assert.deepEqual([shown, asked], [[1, 2, 5], [2]]);
});

test("while it may not fill gaps it asks nothing; then it does", async (t) => {
  const { inbox, shown, asked } = inboxOf(t, () => [message(1)]);
  inbox.receive(message(2));
  assert.deepEqual([shown, asked], [[], []]);
  inbox.setFilling(true);
  await eventually(() => shown.length === 2);
});

test("a history that is not available is asked again; one that refuses is not", async (t) => {
  let times = 0;
  const { inbox, shown, asked } = inboxOf(t, ({ conv }) => {
    times += 1;
    if (conv === "room/gone") throw new AppError("not_member");
    if (times < 2) throw new AppError("unavailable");
    return [message(1)];
  });
  inbox.setFilling(true);
  inbox.receive(message(2));
  await eventually(() => shown.length === 2);
  assert.deepEqual([shown, asked.length], [[1, 2], 2]);
  inbox.receive(message(7, "room/gone"));
  await eventually(() => shown.length === 3);
});

test("starting now, nothing of before is shown, not even what arrives late", async (t) => {
  const { inbox, shown } = inboxOf(t, () => []);
  await inbox.startFrom(async () => ({ "room/r1": 7 }));
  await inbox.startFrom(async () => ({ "room/r1": 20 }));
  for (const seq of [7, 6, 8]) inbox.receive(message(seq));
  assert.deepEqual(shown, [8]);
});

test("a message that was too large for the connection is fetched, and shown in its place", async (t) => {
  const { inbox, shown } = inboxOf(t, ({ after = 0 }) =>
    [1, 2, 3].filter((seq) => seq > after).map((seq) => message(seq)),
  );
  inbox.setFilling(true);
  inbox.receive(message(1));
  inbox.lacks("room/r1", 2);
  inbox.receive(message(3));
  await eventually(() => shown.length === 3);
  assert.deepEqual(shown, [1, 2, 3]);
});

test("thousands of conversations with a gap are asked for a few at a time, and all are filled", async (t) => {
  const count = 3_000;
  let now = 0;
  let most = 0;
  const { inbox, shown, asked } = inboxOf(t, async ({ conv }) => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    return [message(1, conv), message(2, conv)];
  });
  for (let n = 0; n < count; n++) inbox.receive(message(2, `room/r${n}`));
  inbox.setFilling(true);
  await eventually(() => shown.length === 2 * count);
  assert.deepEqual([asked.length, most], [count, 16]);
});
