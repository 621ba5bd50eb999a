// Threads as the log decides them and as members have them, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppError, messagesDelete, type ParamsOf, threadsGet, threadsList, threadsUpdate } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { about, startTestHistory } from "./surroundings.ts";

const hasCode = (code: string) => (error: AppError) => error.code === code;
const options = { timeoutMs: 30_000 };
const caller = (uid: string, maxBytes?: number) => ({ uid, via: "service" as const, ...(maxBytes && { maxBytes }) });

test("a thread: its messages, who follows it, and what is unread in it", async (t) => {
  const history = await startTestHistory(t, undefined, { HISTORY_FOLD_MS: "60000" });
  const list = (uid: string, params: ParamsOf<typeof threadsList>) =>
    callMethod(history.nats, threadsList, caller(uid), params, options);
  const get = (uid: string, params: ParamsOf<typeof threadsGet>, maxBytes?: number) =>
    callMethod(history.nats, threadsGet, caller(uid, maxBytes), params, options);
  const update = (uid: string, params: ParamsOf<typeof threadsUpdate>) =>
    callMethod(history.nats, threadsUpdate, caller(uid), params, options);
  const state = async (uid: string, conv: string, seq: number) => {
    const { message: _, ...thread } = (await list(uid, { conv })).threads.find((one) => one.seq === seq) ?? {};
    return thread as { unread: number; following: boolean; count: number };
  };
  const unread = async (uid: string, conv: string, seq: number) => (await state(uid, conv, seq)).unread;
  const synced = async (uid: string, conv: string, params: object) =>
    (await history.sync(uid, params)).conversations.find((one) => one.conv === conv);
  const told = async (from: string, conv: string, id: string, more: object) => {
    const [outcome] = await history.append(history.item(from, conv, id, more));
    return outcome && "error" in outcome ? outcome.error.code : "stored";
  };
  const room = (id: string) => history.change(id, { event: "create", by: "ada", uids: ["ben", "cyd"], name: id });

  await t.test(
    "messages of a thread are answered in pages, and its first says how many there are, also after a restart",
    async () => {
      const conv = "room/pages";
      await room("pages");
      const first = await history.say("ada", conv, "first");
      const seqs: number[] = [];
      for (const id of ["1", "2", "3"].map((one) => one.repeat(60))) {
        seqs.push(await history.say("ben", conv, id, { thread: first }));
        for (let n = 0; n < 12; n++) await history.say("cyd", conv, `between ${id} ${n}`);
      }
      await history.say("cyd", conv, "r", about("reaction", seqs[0]!));
      await history.restart();
      const page = await get("cyd", { conv, seq: first, limit: 2 });
      assert.deepEqual([page.messages.map(({ seq }) => seq), page.more], [seqs.slice(0, 2), true]);
      assert.equal(page.messages[0]?.reactions?.length, 1);
      const rest = await get("cyd", { conv, seq: first, after: seqs[1]! });
      assert.deepEqual([rest.messages.map(({ seq }) => seq), rest.more], [seqs.slice(2), false]);
      const small = await get("cyd", { conv, seq: first }, 1_024);
      assert.deepEqual([small.messages.length > 0 && small.messages.length < 3, small.more], [true, true]);
      const { messages } = await history.get("cyd", { conv, after: first - 1, limit: 1 });
      assert.deepEqual(messages[0]?.replies, { count: 3, lastSeq: seqs[2] });
      const other = await history.say("cyd", conv, "another");
      await history.say("cyd", conv, "in it", { thread: other });
      const one = await list("ada", { conv, limit: 1 });
      assert.deepEqual(
        one.threads.map(({ seq, message }) => [seq, message.seq]),
        [[other, other]],
      );
      const two = await list("ada", { conv, limit: 1, page: one.next! });
      assert.deepEqual([two.threads.map(({ seq }) => seq), two.next], [[first], null]);
    },
  );

  await t.test(
    "whoever wrote in it and whose message it is about follow it, and are told by sync what is unread",
    async () => {
      const conv = "room/follow";
      await room("follow");
      const first = await history.say("ada", conv, "first");
      await history.say("ben", conv, "1", { thread: first });
      await history.say("ben", conv, "2", { thread: first });
      const following = await Promise.all(
        ["ada", "ben", "cyd"].map(async (uid) => (await state(uid, conv, first)).following),
      );
      assert.deepEqual(following, [true, true, false]);
      assert.deepEqual([await unread("ada", conv, first), await unread("ben", conv, first)], [2, 0]);
      const last = await history.say("ada", conv, "3", { thread: first });
      assert.deepEqual([await unread("ada", conv, first), await unread("ben", conv, first)], [0, 1]);
      await history.restart();
      const cursors = { [conv]: last };
      assert.deepEqual((await synced("ben", conv, { cursors, all: true }))?.threads, [
        { seq: first, count: 3, lastSeq: last, unread: 1, following: true, readSeq: 0 },
      ]);
      assert.equal((await synced("cyd", conv, { cursors, all: true }))?.threads, undefined);
      const at = Date.now();
      assert.equal((await update("ben", { conv, seq: first, read: 999 })).unread, 0);
      assert.equal((await update("ben", { conv, seq: first, read: 1 })).readSeq, last, "it moves forward only");
      assert.equal(
        (await synced("ben", conv, { cursors, since: at }))?.threads?.[0]?.unread,
        0,
        "other devices learn of it",
      );
      await update("ben", { conv, seq: first, following: false });
      await history.say("ben", conv, "4", { thread: first });
      assert.equal((await state("ben", conv, first)).following, false, "who does not want to is not made to");
      const joined = await update("cyd", { conv, seq: first, following: true });
      assert.deepEqual([joined.unread, joined.following], [0, true]);
    },
  );

  await t.test("what is recalled, deleted for oneself or of no stay does not count, and is not answered", async () => {
    const conv = "room/gone";
    await room("gone");
    const first = await history.say("ada", conv, "first");
    const [one, two, three] = [
      await history.say("ben", conv, "1", { thread: first }),
      await history.say("ben", conv, "2", { thread: first }),
      await history.say("ben", conv, "3", { thread: first }),
    ];
    assert.equal(await unread("ada", conv, first), 3);
    await history.say("ben", conv, "recall", about("recall", one));
    await callMethod(history.nats, messagesDelete, caller("ada"), { conv, seqs: [two] }, options);
    assert.equal(await unread("ada", conv, first), 1);
    const { messages } = await get("ada", { conv, seq: first });
    assert.deepEqual(
      messages.map(({ seq, content }) => [seq, content.type]),
      [
        [one, "erased"],
        [three, "text"],
      ],
    );
    await history.change("gone", { event: "remove", by: "ada", uids: ["cyd"] });
    await history.say("ben", conv, "4", { thread: first });
    assert.equal((await state("cyd", conv, first)).count, 3, "a removed member has what was there");
    await history.change("gone", { event: "invite", by: "ada", uids: ["eve"] });
    await assert.rejects(get("eve", { conv, seq: first }), hasCode("not_found"));
    assert.deepEqual((await list("eve", { conv })).threads, []);
    await history.say("ada", conv, "recall first", about("recall", first));
    assert.equal(await told("ben", conv, "late", { thread: first }), "not_found");
    assert.equal((await get("ben", { conv, seq: first })).messages.length, 4, "what others wrote stays");
  });

  await t.test("what is no thread here is refused, and the message is not stored", async () => {
    const conv = "room/odd";
    await room("odd");
    const first = await history.say("ada", conv, "first");
    const inside = await history.say("ada", conv, "inside", { thread: first });
    const reaction = await history.say("ben", conv, "r", about("reaction", first));
    assert.equal(await told("ben", conv, "1", { thread: 999 }), "not_found");
    assert.equal(await told("ben", conv, "2", { thread: reaction }), "not_found");
    assert.equal(await told("ben", conv, "3", { thread: inside }), "invalid_packet");
    await history.change("odd", { event: "invite", by: "ada", uids: ["eve"] });
    assert.equal(await told("eve", conv, "4", { thread: first }), "not_found");
    for (const [uid, seq, code] of [
      ["ben", inside, "not_found"],
      ["ben", 999, "not_found"],
      ["zoe", first, "not_found"],
    ] as const) {
      await assert.rejects(get(uid, { conv, seq }), hasCode(code));
      await assert.rejects(update(uid, { conv, seq, following: true }), hasCode(code));
    }
    await assert.rejects(list("zoe", { conv: "room/none" }), hasCode("not_found"));
    await assert.rejects(list("ben", { conv, page: "x" }), hasCode("invalid_packet"));
    const { messages } = await history.get("ada", { conv, after: reaction });
    assert.deepEqual(
      messages.map(({ content }) => content.type),
      ["event"],
    );
  });
});
