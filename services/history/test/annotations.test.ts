// Edits, recalls and reactions as readers see them, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppError, limits, messagesReactions, messagesVersions } from "@parley/protocol";
import { callMethod } from "@parley/runtime";
import { about, startTestHistory } from "./surroundings.ts";

const hasCode = (code: string) => (error: AppError) => error.code === code;

test("what is said about a message later is seen with it", async (t) => {
  // Nothing gets into the documents by the way: what a reader sees was there before the answer.
  const history = await startTestHistory(t, undefined, { HISTORY_FOLD_MS: "60000" });
  const options = { timeoutMs: 5_000 };
  const caller = (uid: string) => ({ uid, via: "service" as const });
  const versions = (uid: string, conv: string, seq: number, after?: number) =>
    callMethod(
      history.nats,
      messagesVersions,
      caller(uid),
      { conv, seq, ...(after !== undefined && { after }) },
      options,
    );
  const reactions = async (uid: string, conv: string, seq: number) =>
    (await callMethod(history.nats, messagesReactions, caller(uid), { conv, seq }, options)).reactions;
  const seen = async (uid: string, conv: string, seq: number) => {
    const { messages } = await history.get(uid, { conv, after: seq - 1, limit: 1 });
    const synced = (await history.sync(uid, { cursors: { [conv]: seq - 1 } })).conversations.find(
      (one) => one.conv === conv,
    );
    assert.deepEqual(synced?.messages[0], messages[0], "sync and history answer the same");
    return messages[0];
  };
  const told = async (from: string, conv: string, id: string, more: ReturnType<typeof about>) => {
    const [outcome] = await history.append(history.item(from, conv, id, more));
    return outcome && "error" in outcome ? outcome.error.code : "stored";
  };

  await t.test(
    "reactions: one of each kind a user, taken back, as the reader sees them, also after a restart",
    async () => {
      const conv = "room/reacted";
      await history.change("reacted", { event: "create", by: "ada", uids: ["ben", "cyd"], name: "R" });
      const seq = await history.say("ada", conv, "m");
      await history.say("ada", conv, "another");
      for (const id of ["1", "2"]) await history.say("ben", conv, `ben-${id}`, about("reaction", seq));
      await history.say("cyd", conv, "c1", about("reaction", seq));
      await history.say("cyd", conv, "c2", about("reaction", seq, { data: "so true" }));
      const expected = [
        { reaction: "👍", count: 2, mine: true, uids: ["ben", "cyd"] },
        { reaction: "so true", count: 1, mine: false, uids: ["cyd"] },
      ];
      assert.deepEqual((await seen("ben", conv, seq))?.reactions, expected);
      assert.deepEqual(await reactions("ben", conv, seq), expected);
      await history.restart();
      assert.deepEqual((await seen("ben", conv, seq))?.reactions, expected);
      await history.say("cyd", conv, "c3", about("reaction", seq, { remove: true }));
      await history.say("cyd", conv, "c4", about("reaction", seq, { data: "never given", remove: true }));
      assert.deepEqual((await seen("ada", conv, seq))?.reactions, [
        { reaction: "👍", count: 1, mine: false, uids: ["ben"] },
        { reaction: "so true", count: 1, mine: false, uids: ["cyd"] },
      ]);
      const { messages } = await history.get("ada", { conv, after: seq });
      assert.ok(
        messages.every((message) => !message.reactions),
        "of no other message",
      );
    },
  );

  await t.test("a removed member sees no reaction and no edit of after the removal", async () => {
    const conv = "room/gone";
    await history.change("gone", { event: "create", by: "ada", uids: ["ben"], name: "G" });
    const seq = await history.say("ada", conv, "m");
    await history.say("ada", conv, "r1", about("reaction", seq));
    await history.change("gone", { event: "remove", by: "ada", uids: ["ben"] });
    await history.say("ada", conv, "r2", about("reaction", seq, { data: "🎉" }));
    await history.say("ada", conv, "e", about("edit", seq, { data: "secret" }));
    const message = await seen("ben", conv, seq);
    assert.deepEqual([message?.reactions?.map(({ reaction }) => reaction), message?.edited], [["👍"], undefined]);
    assert.equal((await versions("ben", conv, seq)).versions.length, 1);
    assert.equal((await seen("ada", conv, seq))?.edited?.content.type, "edit");
  });

  await t.test(
    "an answer is shown with what it answers, as that is now and as far as its reader may read it",
    async () => {
      const conv = "room/quoted";
      await history.change("quoted", { event: "create", by: "ada", uids: ["ben"], name: "Q" });
      const long = await history.say("ada", conv, `${"😀".repeat(250)}`);
      const seq = await history.say("ada", conv, "canary-quoted");
      await history.change("quoted", { event: "invite", by: "ada", uids: ["cyd"] });
      const answer = await history.say("ben", conv, "answer", { reply: seq });
      const other = await history.say("ben", conv, "other", { reply: long });
      const quoted = async (uid: string, at = answer) => (await seen(uid, conv, at))?.quoted;
      assert.deepEqual((await quoted("ben"))?.content, { type: "text", data: "canary-quoted" });
      assert.deepEqual([(await quoted("ben"))?.seq, (await quoted("ben"))?.from], [seq, "ada"]);
      assert.equal(await quoted("cyd"), undefined, "she may not read what was there before her");
      const { data } = ((await quoted("ben", other))?.content ?? {}) as { data?: string };
      assert.equal(data, `${"😀".repeat(limits.quoteCharacters)}…`);
      await history.say("ada", conv, "e", about("edit", seq, { data: "as edited" }));
      await history.restart();
      assert.deepEqual((await quoted("ben"))?.content, { type: "text", data: "as edited" });
      await history.say("ada", conv, "recall", about("recall", seq));
      assert.deepEqual((await quoted("ben"))?.content, { type: "erased" });
      assert.ok(!JSON.stringify((await history.get("ben", { conv })).messages).includes('"data":"canary'));
      assert.equal(await told("ben", conv, "late", { reply: seq }), "stored", "who answers may not know of the recall");
    },
  );

  await t.test("what is not there for its sender is not answered, and the answer is not stored", async () => {
    const conv = "room/unseen";
    await history.change("unseen", { event: "create", by: "ada", uids: ["ben"], name: "U" });
    const seq = await history.say("ada", conv, "m");
    await history.change("unseen", { event: "invite", by: "ada", uids: ["cyd"] });
    assert.equal(await told("cyd", conv, "1", { reply: seq }), "not_found");
    assert.equal(await told("ben", conv, "2", { reply: 99 }), "not_found");
    assert.equal(await told("ben", conv, "3", { reply: seq }), "stored");
    // Of two each may answer at once, also in the batch in which the conversation begins.
    const outcomes = await history.append(
      history.item("ada", "p2p/ada/zed", "1"),
      history.item("zed", "p2p/ada/zed", "2", { reply: 1 }),
    );
    assert.ok(outcomes.every((outcome) => "seq" in outcome));
  });

  await t.test("every version of a message is kept and answered to those who may read it, in pages", async () => {
    const conv = "p2p/ada/ben";
    const seq = await history.say("ada", conv, "m");
    const texts = [1, 2, 3, 4, 5].map((n) => `${n} ${"x".repeat(60_000)}`);
    for (const [n, data] of texts.entries()) await history.say("ada", conv, `e${n}`, about("edit", seq, { data }));
    const read: unknown[] = [];
    let after: number | undefined;
    for (let more = true, pages = 0; more; pages++) {
      assert.ok(pages < 6);
      const page = await versions("ben", conv, seq, after);
      assert.ok(JSON.stringify(page).length <= limits.pageBytes);
      read.push(...page.versions.map(({ content }) => (content as { data?: unknown }).data));
      after = page.versions.at(-1)?.seq;
      more = page.more;
    }
    assert.deepEqual(read, ["m", ...texts]);
    assert.deepEqual((await seen("ben", conv, seq))?.edited?.content, { type: "edit", seq, data: texts.at(-1) });
    await assert.rejects(versions("cyd", conv, seq), hasCode("not_member"));
    await assert.rejects(versions("ben", conv, 999), hasCode("not_found"));
    await assert.rejects(versions("ben", conv, seq + 1), hasCode("not_found"));
    await assert.rejects(reactions("cyd", "room/nowhere", 1), hasCode("not_found"));
  });

  await t.test(
    "nothing that was said is left of a recalled message: in no page, no version, and not in what a resend is answered",
    async () => {
      const conv = "p2p/ada/cyd";
      const seq = await history.say("ada", conv, "canary-one");
      const edit = await history.say("ada", conv, "e", about("edit", seq, { data: "canary-two" }));
      await history.say("cyd", conv, "r", about("reaction", seq));
      const recall = await history.say("ada", conv, "recall", about("recall", seq));
      const check = async () => {
        const message = await seen("cyd", conv, seq);
        assert.deepEqual([message?.content, message?.recalled], [{ type: "erased" }, { seq: recall, by: "ada" }]);
        assert.deepEqual([message?.to, message?.reactions], ["user/cyd", undefined]);
        const { messages } = await history.get("cyd", { conv });
        assert.equal(messages.find((one) => one.seq === edit)?.content.type, "erased");
        assert.ok(!JSON.stringify(messages).includes('"data":"canary'), "no page has it");
        await assert.rejects(versions("cyd", conv, seq), hasCode("not_found"));
      };
      await check();
      assert.deepEqual(await told("cyd", conv, "late", about("reaction", seq)), "not_found");
      // Sent again under its id with another body, it is answered as what is kept.
      const [again] = await history.append(
        history.item("ada", conv, "canary-one", { body: Buffer.from('{"id":"canary-one"}') }),
      );
      assert.ok(again && "stored" in again && `${Buffer.from(again.stored ?? [])}`.includes("erased"));
      await history.restart();
      await check();
    },
  );

  await t.test("bounds: so many different reactions of all; one that is there may still be given", async () => {
    const uids = ["ben", "cyd", "dan", "eve", "fay"];
    await history.change("kinds", { event: "create", by: "ada", uids, name: "K" });
    const seq = await history.say("ada", "room/kinds", "m");
    const kinds = Array.from({ length: limits.reactionKinds }, (_, n) => `${n}`);
    await history.append(
      ...kinds.map((data, n) =>
        history.item(uids[n % uids.length] as string, "room/kinds", data, about("reaction", seq, { data })),
      ),
    );
    assert.equal(await told("ada", "room/kinds", "more", about("reaction", seq, { data: "one more" })), "conflict");
    assert.equal(await told("ada", "room/kinds", "known", about("reaction", seq, { data: "7" })), "stored");
    assert.equal((await reactions("ben", "room/kinds", seq)).length, limits.reactionKinds);
  });

  await t.test("bounds: so many reactions of one user, so many edits, and what is none is refused", async () => {
    const conv = "p2p/ben/cyd";
    const seq = await history.say("ben", conv, "m");
    for (const data of ["", " ", "x".repeat(limits.reactionCharacters + 1), "a\u0007", 5, null])
      assert.equal(
        await told("cyd", conv, `odd-${data}`, about("reaction", seq, { data })),
        "invalid_packet",
        `${data}`,
      );
    const kinds = Array.from({ length: limits.reactionsEach + 1 }, (_, n) => `kind ${n}`);
    const outcomes = await history.append(
      ...kinds.map((data, n) => history.item("cyd", conv, `k${n}`, about("reaction", seq, { data }))),
    );
    const refused = outcomes.map((outcome) => ("error" in outcome ? outcome.error.code : "stored"));
    assert.deepEqual(refused, [...kinds.slice(1).map(() => "stored"), "conflict"]);
    assert.equal(await told("cyd", conv, "given", about("reaction", seq, { data: "kind 0" })), "stored");
    assert.equal(await told("ben", conv, "other", about("reaction", seq, { data: "kind 99" })), "stored");
    const edits = Array.from({ length: limits.messageEdits }, (_, n) => n);
    await history.append(...edits.map((n) => history.item("ben", conv, `e${n}`, about("edit", seq))));
    assert.equal(await told("ben", conv, "one more", about("edit", seq)), "conflict");
  });
});
