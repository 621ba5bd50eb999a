// What a former member is told of a conversation: nothing that came after its stays, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppError, type Message, messagesVersions, type ParamsOf, threadsList } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { about, startTestHistory } from "./surroundings.ts";

test("a former member is told of nothing that came after its stay", async (t) => {
  const history = await startTestHistory(t);
  const room = (id: string) => history.change(id, { event: "create", by: "ann", uids: ["ben", "cat"], name: id });
  const remove = (id: string) => history.change(id, { event: "remove", by: "ann", uids: ["ben"] });
  const versionsFor = (uid: string, params: ParamsOf<typeof messagesVersions>) =>
    callMethod(history.nats, messagesVersions, { uid, via: "service" }, params, { timeoutMs: 30_000 });
  // As history.get and sync show it.
  const shown = async (uid: string, conv: string, seq: number) => {
    const { messages } = await history.get(uid, { conv, after: seq - 1, limit: 1 });
    const { conversations } = await history.sync(uid, { cursors: { [conv]: seq - 1 } });
    return [messages[0], conversations.find((one) => one.conv === conv)?.messages[0]];
  };
  const list = (uid: string, params: ParamsOf<typeof threadsList>) =>
    callMethod(history.nats, threadsList, { uid, via: "service" }, params, { timeoutMs: 30_000 });

  await t.test("pages of its threads are full, and no page token names a thread that began later", async () => {
    const conv = "room/pages";
    await room("pages");
    const old: number[] = [];
    for (const id of ["a", "b", "c"]) {
      old.push(await history.say("ann", conv, id));
      await history.say("cat", conv, `in ${id}`, { thread: old.at(-1)! });
    }
    const plain = await history.say("ann", conv, "plain");
    await remove("pages");
    await history.say("cat", conv, "in plain", { thread: plain });
    const late = await history.say("ann", conv, "late");
    await history.say("cat", conv, "in late", { thread: late });
    const seen: number[] = [];
    for (let page: string | null | undefined; page !== null; ) {
      const answer = await list("ben", { conv, limit: 1, ...(page === undefined ? {} : { page }) });
      assert.equal(answer.threads.length, 1, "each page has what fits");
      seen.push(...answer.threads.map(({ seq }) => seq));
      page = answer.next;
      assert.ok(page === null || old.includes(Number(page)), `next: ${page}`);
    }
    assert.deepEqual(seen, old.toReversed());
  });

  await t.test("sync since a time has nothing of a room in which others read later", async () => {
    const conv = "room/marks";
    await room("marks");
    const seq = await history.say("ann", conv, "said");
    await remove("marks");
    const since = Date.now() + 1;
    const { lastSeq } = (await history.sync("ben", { all: true })).conversations.find((one) => one.conv === conv)!;
    await new Promise((done) => setTimeout(done, 5));
    await history.receipt({ conv, uid: "cat", read: seq });
    const cursors = { [conv]: lastSeq };
    const synced = async (uid: string) =>
      (
        await history.sync(uid, { cursors: { ...cursors, [conv]: uid === "ben" ? lastSeq : 99 }, since })
      ).conversations.map((one) => one.conv);
    assert.ok((await synced("ann")).includes(conv), "a member is told");
    assert.ok(!(await synced("ben")).includes(conv), "a former member is not");
  });

  await t.test("an edit that says @all later counts as no mention", async () => {
    const conv = "room/all";
    await room("all");
    const seq = await history.say("ann", conv, "said");
    await remove("all");
    const mentions = async (uid: string) =>
      (await history.sync(uid, { all: true })).conversations.find((one) => one.conv === conv)?.unreadMentions;
    assert.equal(await mentions("ben"), 0);
    await history.say("ann", conv, "edit", {
      ...about("edit", seq, { data: "@all" }),
      mentions: { uids: [], all: true },
    });
    assert.deepEqual([await mentions("cat"), await mentions("ben")], [1, 0]);
  });

  await t.test("an edit of after its stay is not there: it reads what it could read, in every answer", async () => {
    const conv = "room/edited";
    await room("edited");
    const seq = await history.say("ann", conv, "first text");
    await history.say("ann", conv, "own edit", about("edit", seq, { data: "second text" }));
    const { seq: left } = await remove("edited");
    await history.say("ann", conv, "late edit", about("edit", seq, { data: "third text" }));
    for (const message of await shown("ben", conv, seq))
      assert.deepEqual(textsIn(message), { data: "first text", edited: "second text" });
    const { versions } = await versionsFor("ben", { conv, seq });
    assert.deepEqual(
      versions.map((one) => (one.content as { data?: string }).data),
      ["first text", "second text"],
    );
    const [listed] = (await history.list("cat")).conversations.filter((one) => one.conv === conv);
    assert.equal(listed?.lastSeq, left + 1, "a member has the edit");
  });

  await t.test("what is recalled after its stay is gone for it too, and it is not told by whom", async () => {
    const conv = "room/recalled";
    await room("recalled");
    const seq = await history.say("ann", conv, "canary-first");
    await history.say("ann", conv, "e", about("edit", seq, { data: "canary-second" }));
    await history.say("cat", conv, "r", about("reaction", seq));
    await remove("recalled");
    const recall = await history.say("ann", conv, "recall", about("recall", seq));
    for (const message of await shown("ben", conv, seq)) {
      assert.deepEqual([message?.content, message?.to], [{ type: "erased" }, conv]);
      assert.deepEqual([message?.recalled, message?.edited, message?.reactions], [undefined, undefined, undefined]);
    }
    const { messages } = await history.get("ben", { conv });
    assert.ok(!JSON.stringify(messages).includes("canary-second"));
    assert.ok(messages.every((one) => one.seq < recall));
    await assert.rejects(versionsFor("ben", { conv, seq }), (error: AppError) => error.code === "not_found");
    for (const message of await shown("cat", conv, seq))
      assert.deepEqual([message?.content, message?.recalled], [{ type: "erased" }, { seq: recall, by: "ann" }]);
  });
});

const textsIn = (message: Message | undefined) => ({
  data: (message?.content as { data?: string } | undefined)?.data,
  edited: (message?.edited?.content as { data?: string } | undefined)?.data,
});
