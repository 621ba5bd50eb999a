// Polls as the log decides them and as readers see them, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppError, type AppendItem, messagesVotes } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { about, startTestHistory } from "./surroundings.ts";

const hasCode = (code: string) => (error: AppError) => error.code === code;

function pollOf(flags: object = {}): Partial<AppendItem> {
  const content = { type: "poll", question: "Where to?", options: ["a", "b", "c"], ...flags };
  return { type: "poll", body: Buffer.from(JSON.stringify({ id: "x", to: "user/x", content })) };
}

test("a poll: whose votes count, and who may know of them", async (t) => {
  const history = await startTestHistory(t, undefined, { HISTORY_FOLD_MS: "60000" });
  const options = { timeoutMs: 5_000 };
  const votes = (uid: string, conv: string, seq: number) =>
    callMethod(history.nats, messagesVotes, { uid, via: "service" }, { conv, seq }, options);
  const seen = async (uid: string, conv: string, seq: number) => {
    const { messages } = await history.get(uid, { conv, after: seq - 1, limit: 1 });
    const synced = (await history.sync(uid, { cursors: { [conv]: seq - 1 } })).conversations.find(
      (one) => one.conv === conv,
    );
    assert.deepEqual(synced?.messages[0], messages[0], "sync and history answer the same");
    return messages[0]?.poll;
  };
  let sent = 0;
  const told = async (from: string, conv: string, more: Partial<AppendItem>) => {
    const [outcome] = await history.append(history.item(from, conv, `m${++sent}`, more));
    return outcome && "error" in outcome ? outcome.error.code : "stored";
  };
  const vote = (from: string, conv: string, seq: number, ...chosen: number[]) =>
    told(from, conv, about("vote", seq, { options: chosen }));
  const room = (id: string, settings = {}) =>
    history.change(id, { event: "create", by: "ada", uids: ["ben", "cyd"], name: id, room: { settings } });

  await t.test("the latest vote of each counts; it is changed and taken back, also after a restart", async () => {
    const conv = "room/votes";
    await room("votes");
    const seq = await history.say("ada", conv, "p", pollOf());
    await history.say("ada", conv, "another");
    const unread = async () => (await history.list("cyd")).conversations.find((row) => row.conv === conv)?.unread;
    const before = await unread();
    assert.equal(await seen("ada", conv, seq), undefined);
    assert.deepEqual(await votes("ada", conv, seq), { options: [], voters: 0, mine: [] });
    for (const [uid, option] of [["ben", 0], ["cyd", 1], ["ben", 2], ["ada", 2]] as const) // biome-ignore format: a table
      assert.equal(await vote(uid, conv, seq, option), "stored");
    const expected = {
      options: [
        { option: 1, count: 1, uids: ["cyd"] },
        { option: 2, count: 2, uids: ["ben", "ada"] },
      ],
      voters: 3,
      mine: [2],
    };
    assert.deepEqual(await seen("ben", conv, seq), expected);
    assert.equal(await vote("cyd", conv, seq), "stored");
    await history.restart();
    const now = { options: [expected.options[1]], voters: 2, mine: [] };
    assert.deepEqual(await seen("cyd", conv, seq), now);
    assert.deepEqual(await votes("cyd", conv, seq), now);
    assert.equal(await unread(), before, "a vote is not unread");
    await assert.rejects(votes("eve", conv, seq), hasCode("not_found"));
    await assert.rejects(votes("ada", conv, seq + 1), hasCode("not_found"));
  });

  await t.test(
    "a closed poll takes no vote, also where both come in one batch; its author or an admin closes it",
    async () => {
      const conv = "room/closed";
      await room("closed");
      const seq = await history.say("ben", conv, "p", pollOf());
      assert.equal(await vote("cyd", conv, seq, 0), "stored");
      assert.equal(await told("cyd", conv, about("close", seq)), "forbidden");
      const raced = await history.append(
        history.item("ben", conv, "close", about("close", seq)),
        history.item("cyd", conv, "late", about("vote", seq, { options: [1] })),
      );
      assert.deepEqual(
        raced.map((outcome) => ("error" in outcome ? outcome.error.code : "stored")),
        ["stored", "conflict"],
      );
      assert.equal(await told("ada", conv, about("close", seq)), "conflict");
      const closed = (await seen("cyd", conv, seq))?.closed;
      assert.deepEqual([closed?.by, (await seen("cyd", conv, seq))?.mine], ["ben", [0]]);
      const other = await history.say("ben", conv, "p2", pollOf());
      assert.equal(await told("ada", conv, about("close", other)), "stored", "she owns the room");
    },
  );

  await t.test(
    "an anonymous poll: no page, no copy and no answer says who voted for what, and none how many before its end",
    async () => {
      const conv = "room/secret";
      await room("secret");
      const seq = await history.say("ada", conv, "p", pollOf({ anonymous: true }));
      const ballot = history.item("ben", conv, "ballot", about("vote", seq, { options: [1] }));
      for (const again of [false, true]) {
        const [outcome] = await history.append(ballot);
        assert.ok(outcome && "seq" in outcome && outcome.stored, "what is delivered is not what was sent");
        assert.deepEqual(
          [JSON.parse(`${Buffer.from(outcome.stored)}`).content, outcome.duplicate === true],
          [{ type: "vote", seq }, again],
        );
      }
      assert.equal(await vote("cyd", conv, seq, 1), "stored");
      await history.restart();
      assert.deepEqual(await seen("ada", conv, seq), { options: [], voters: 2, mine: [] });
      assert.deepEqual(await votes("ben", conv, seq), { options: [], voters: 2, mine: [1] });
      const { messages } = await history.get("ada", { conv, after: seq });
      assert.deepEqual(
        messages.map(({ content }) => content),
        [
          { type: "vote", seq },
          { type: "vote", seq },
        ],
      );
      assert.equal(await told("ada", conv, about("close", seq)), "stored");
      const { options: counted, voters } = await votes("ada", conv, seq);
      assert.deepEqual([counted, voters], [[{ option: 1, count: 2, uids: [] }], 2]);
    },
  );

  await t.test("a removed member sees no vote of after its removal", async () => {
    const conv = "room/left";
    await room("left");
    const seq = await history.say("ada", conv, "p", pollOf());
    await vote("ada", conv, seq, 0);
    await history.change("left", { event: "remove", by: "ada", uids: ["ben"] });
    await vote("cyd", conv, seq, 0);
    await told("ada", conv, about("close", seq));
    assert.deepEqual(await seen("ben", conv, seq), {
      options: [{ option: 0, count: 1, uids: ["ada"] }],
      voters: 1,
      mine: [],
    });
    assert.equal(await vote("ben", conv, seq, 0), "not_member");
  });

  await t.test("what is no vote here is refused and changes nothing", async () => {
    const conv = "room/odd";
    await room("odd", { write: "admin" });
    const text = await history.say("ada", conv, "t");
    const seq = await history.say("ada", conv, "p", pollOf());
    const several = await history.say("ada", conv, "s", pollOf({ multiple: true }));
    assert.equal(await vote("ben", conv, seq, 3), "invalid_packet");
    assert.equal(await vote("ben", conv, seq, 0, 1), "invalid_packet");
    assert.equal(await vote("ben", conv, text, 0), "not_found");
    assert.equal(await told("ada", conv, about("close", text)), "not_found");
    assert.equal(await vote("ben", conv, 999, 0), "not_found");
    assert.equal(await told("ben", conv, about("vote", seq, { options: [0.5] })), "invalid_packet");
    assert.equal(await told("ben", conv, about("vote", seq)), "invalid_packet");
    assert.equal(await told("ada", conv, about("edit", seq, { data: "other" })), "forbidden");
    assert.equal(await seen("ben", conv, seq), undefined);
    assert.equal(await vote("ben", conv, several, 2, 0), "stored", "where only some write, others vote");
    assert.deepEqual((await seen("ben", conv, several))?.mine, [0, 2]);
    assert.equal(await told("ada", conv, about("recall", several)), "stored");
    assert.equal(await vote("ben", conv, several, 0), "not_found");
    assert.equal(await seen("ben", conv, several), undefined);
  });
});
