// Mentions and how many of them are unread, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { messagesDelete } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { about, startTestHistory } from "./surroundings.ts";

test("unread mentions are counted as unread messages are", async (t) => {
  const history = await startTestHistory(t);
  const conv = "room/men";
  await history.change("men", { event: "create", by: "ann", uids: ["ben", "cat"], name: "M" });
  const counts = async (uid: string) => {
    const listed = (await history.list(uid)).conversations.find((row) => row.conv === conv);
    const { conversations } = await history.sync(uid, { all: true });
    const synced = conversations.find((one) => one.conv === conv);
    assert.equal(listed?.unreadMentions, synced?.unreadMentions, "list and sync count the same");
    return [listed?.unread, listed?.unreadMentions];
  };
  const mention = (from: string, id: string, uids: string[], all = false) =>
    history.say(from, conv, id, { mentions: { uids, all } });

  await t.test("those who are mentioned, and nobody else; not oneself, and not who is no member", async () => {
    await history.say("ann", conv, "1");
    const second = await mention("ann", "2", ["ben", "ann", "zoe"]);
    await mention("cat", "3", ["ben"]);
    assert.deepEqual(await counts("ben"), [3, 2]);
    assert.deepEqual(await counts("ann"), [1, 0]);
    assert.deepEqual(await counts("cat"), [0, 0]);
    await history.restart();
    assert.deepEqual(await counts("ben"), [3, 2]);
    await history.receipt({ conv, uid: "ben", read: second });
    assert.deepEqual(await counts("ben"), [1, 1]);
    await history.restart();
    assert.deepEqual(await counts("ben"), [1, 1]);
    await history.say("ben", conv, "own");
    assert.deepEqual(await counts("ben"), [0, 0]);
  });

  await t.test(
    "whoever is no member when it is said is mentioned in vain, also when it comes in and reads all",
    async () => {
      const room = { settings: { history: "all" as const } };
      await history.change("late", { event: "create", by: "ann", uids: ["ben"], name: "L", room });
      const late = "room/late";
      const body = { id: "m", to: late, content: { type: "text", data: "hi @zoe", mentions: ["zoe", "@ben"] } };
      const said = { body: Buffer.from(JSON.stringify(body)), mentions: { uids: ["zoe", "ben"], all: false } };
      const seq = await history.say("ann", late, "m", said);
      await history.change("late", { event: "invite", by: "ann", uids: ["zoe"] });
      const mentioned = async (uid: string) =>
        (await history.list(uid)).conversations.find((row) => row.conv === late)?.unreadMentions;
      for (const restart of [false, true]) {
        if (restart) await history.restart();
        assert.deepEqual([await mentioned("zoe"), await mentioned("ben")], [0, 1]);
      }
      const [message] = (await history.get("zoe", { conv: late, after: seq - 1, limit: 1 })).messages;
      assert.deepEqual(message?.content, body.content, "it stays as it was sent");
      await history.say("ann", late, "again", {
        ...about("edit", seq, { data: "hi" }),
        mentions: { uids: ["zoe"], all: false },
      });
      assert.equal(await mentioned("zoe"), 0, "what lies before the coming in is read");
    },
  );

  await t.test("@all counts for all and is a right", async () => {
    await mention("ann", "all", ["cat"], true);
    assert.deepEqual(await counts("ben"), [1, 1]);
    assert.deepEqual((await counts("cat"))[1], 1, "once, however often it is named");
    assert.deepEqual((await counts("ann"))[1], 0, "not one's own");
    const [outcome] = await history.append(history.item("ben", conv, "not his", { mentions: { uids: [], all: true } }));
    assert.ok(outcome && "error" in outcome && outcome.error.code === "forbidden");
    await history.restart();
    assert.deepEqual(await counts("ben"), [1, 1]);
  });

  await t.test("a mention that was recalled, or deleted for oneself, counts no longer", async () => {
    const first = await mention("ann", "r1", ["ben"]);
    const second = await mention("ann", "r2", ["ben"]);
    assert.deepEqual(await counts("ben"), [3, 3]);
    await history.say("ann", conv, "recall", about("recall", first));
    assert.deepEqual(await counts("ben"), [2, 2]);
    const caller = { uid: "ben", via: "service" as const };
    await callMethod(history.nats, messagesDelete, caller, { conv, seqs: [second] }, { timeoutMs: 5_000 });
    assert.deepEqual(await counts("ben"), [1, 1]);
  });

  const edit = (from: string, id: string, seq: number, uids: string[], all = false) =>
    history.item(from, conv, id, { ...about("edit", seq, { data: id }), mentions: { uids, all } });

  await t.test(
    "a mention that an edit adds counts while its message is unread, and no edit takes one back",
    async () => {
      await history.receipt({ conv, uid: "ben", read: 1e9 });
      const [read, unread] = [await history.say("ann", conv, "e1"), await mention("ann", "e2", ["cat"])];
      await history.receipt({ conv, uid: "ben", read });
      assert.deepEqual(await counts("ben"), [1, 0]);
      const cats = (await counts("cat"))[1] as number;
      await history.append(edit("ann", "e3", read, ["ben"]), edit("ann", "e4", unread, ["ben", "ann", "zoe"]));
      const check = async () => {
        assert.deepEqual(await counts("ben"), [1, 1], "of the message that is unread, once");
        assert.deepEqual((await counts("cat"))[1], cats, "the edit has cat no more, and it was told");
        assert.deepEqual((await counts("ann"))[1], 0);
      };
      await check();
      await history.append(edit("ann", "e5", unread, ["ben"]));
      await history.restart();
      await check();
      await history.append(edit("ann", "e6", unread, [], true));
      await history.restart();
      assert.deepEqual([await counts("ben"), (await counts("cat"))[1]], [[1, 1], cats], "once, however often");
      await history.receipt({ conv, uid: "ben", read: unread });
      assert.deepEqual(await counts("ben"), [0, 0]);
    },
  );

  await t.test("whatever says @all about a message needs the right, but an edit of what said it before", async () => {
    const bens = await history.say("ben", conv, "his own");
    const anns = await mention("ann", "to all", [], true);
    const refused = async (item: ReturnType<typeof edit>) => {
      const [outcome] = await history.append(item);
      assert.ok(outcome && "error" in outcome && outcome.error.code === "forbidden", JSON.stringify(outcome));
      assert.deepEqual(outcome.error.details?.reason, "mentionAll");
    };
    await refused(edit("ben", "r1", bens, ["ann"], true));
    for (const seq of [bens, anns])
      await refused(
        history.item("ben", conv, `r2 ${seq}`, { ...about("reaction", seq), mentions: { uids: [], all: true } }),
      );
    assert.deepEqual((await history.get("ben", { conv, after: anns })).messages, [], "nothing of it is stored");
    await history.change("men", { event: "role", by: "ann", uids: ["ben"], role: "owner" });
    await history.change("men", { event: "role", by: "ben", uids: ["ann"], role: "member" });
    await refused(history.item("ann", conv, "r3", { mentions: { uids: [], all: true } }));
    const [outcome] = await history.append(edit("ann", "e7", anns, [], true));
    assert.ok(outcome && "seq" in outcome, JSON.stringify(outcome));
  });
});
