// Messages that disappear, over NATS, with history's data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppError, type Expiry, type FreedReply, type MembershipEvent, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { timerKey } from "../src/keep/timers.ts";
import { about, startTestHistory } from "./surroundings.ts";

const sent = (seconds: number): { expires: Expiry } => ({ expires: { seconds, from: "sent" } });
const fromRead = (seconds: number): { expires: Expiry } => ({ expires: { seconds, from: "read" } });
const textOf = (data: string) => ({
  body: Buffer.from(JSON.stringify({ id: "brief", to: "user/bo", content: { type: "text", data } })),
});
const typeOf = (message: { content: { type: string } } | undefined) => message?.content.type;

test("a message whose time is over is in no page, no count and no body, and its conversation says so by an entry", async (t) => {
  const history = await startTestHistory(t);
  const seen = async (uid: string, conv: string, seq: number) =>
    (await history.get(uid, { conv, after: seq - 1, limit: 1 })).messages[0];
  const row = async (uid: string, conv: string) =>
    (await history.list(uid)).conversations.find((one) => one.conv === conv);

  await t.test("counted from its sending, with its edits and reactions", async () => {
    const conv = "p2p/amy/bo";
    await history.say("amy", conv, "stays");
    const seq = await history.say("amy", conv, "brief", { ...sent(2), ...textOf("secret") });
    await history.say("amy", conv, "e", about("edit", seq, { data: "secret too" }));
    await history.say("bo", conv, "r", about("reaction", seq));
    const message = await seen("bo", conv, seq);
    assert.ok((message?.expiresAt ?? 0) > Date.now() - 60_000);
    await eventually(async () => typeOf(await seen("bo", conv, seq)) === "erased");
    const left = await eventually(async () => {
      const now = await seen("bo", conv, seq);
      return now?.recalled ? now : undefined;
    });
    assert.equal(left?.recalled?.expired, true);
    assert.equal(left?.reactions, undefined);
    const page = JSON.stringify(await history.get("bo", { conv }));
    assert.doesNotMatch(page, /secret/);
    assert.equal((await row("bo", conv))?.unread, 1);
    await assert.rejects(history.say("bo", conv, "r2", about("reaction", seq)), /not_found/);
  });

  await t.test(
    "what the server puts in, and what is left of a message, is addressed as messages of its sender are",
    async () => {
      const conv = "p2p/amy/deb";
      await history.say("deb", conv, "from the other side");
      const change: MembershipEvent = { event: "expiry", by: "deb", uids: [], expiry: sent(1).expires };
      const { seq: changed } = await history.change("", change, { conv });
      const seq = await history.say("amy", conv, "brief");
      const recall = await eventually(async () => (await seen("deb", conv, seq))?.recalled?.seq);
      const addresses = [changed, seq, recall].map(async (at) => (await seen("deb", conv, at))?.to);
      assert.deepEqual(await Promise.all(addresses), ["user/amy", "user/deb", "user/deb"]);
    },
  );

  await t.test("counted from its first reading by another, not by its sender", async () => {
    const conv = "p2p/amy/cy";
    const seq = await history.say("amy", conv, "hush", fromRead(1));
    await history.receipt({ conv, uid: "amy", read: seq });
    assert.equal(typeOf(await seen("cy", conv, seq)), "text");
    await history.receipt({ conv, uid: "cy", read: seq });
    await eventually(async () => (await seen("cy", conv, seq))?.recalled?.expired === true);
  });

  await t.test("as the conversation has it, from the entry on that says so, also after a restart", async () => {
    const conv = "room/brief";
    await history.change("brief", { event: "create", by: "amy", uids: ["bo"], name: "B" });
    const before = await history.say("bo", conv, "before");
    const asBo = history.change("brief", { event: "expiry", by: "bo", uids: [], expiry: sent(1).expires });
    await assert.rejects(asBo, (error: AppError) => error.code === "forbidden");
    await history.change("brief", { event: "expiry", by: "amy", uids: [], expiry: sent(1).expires });
    assert.deepEqual((await row("bo", conv))?.expiry, sent(1).expires);
    await history.restart();
    const seq = await history.say("bo", conv, "after");
    await eventually(async () => (await seen("amy", conv, seq))?.recalled?.expired === true);
    assert.equal(typeOf(await seen("amy", conv, before)), "text");
  });

  await t.test("also where another holder's timer for the same place came to stand over its own", async () => {
    const conv = "p2p/amy/eli";
    const fixed = await history.say("amy", conv, "brief", sent(2));
    const read = await history.say("amy", conv, "hush", fromRead(1));
    await history.restart(async ({ timers }) => {
      const another = { conv, from: "eli", device: "eli:web", id: "never stored", at: Date.now() - 1 };
      await timers.put([fixed, read].map((seq) => ({ key: timerKey({ conv, seq }), doc: { ...another, seq } })));
    });
    for (const seq of [fixed, read])
      await eventually(async () => (await seen("eli", conv, seq))?.recalled?.expired === true);
  });

  await t.test("many at one time: each once, and none that stays", async () => {
    const conv = "room/many";
    await history.change("many", { event: "create", by: "amy", uids: ["bo"], name: "M" });
    const many = Array.from({ length: 350 }, (_, at) => history.item("amy", conv, `m${at}`, sent(1)));
    const outcomes = await history.append(...many, history.item("amy", conv, "stays"));
    const seqs = outcomes.map((one) => ("seq" in one ? one.seq : 0));
    const last = seqs.at(-1) as number;
    const recalls = async () => {
      const { messages } = await history.get("bo", { conv, after: last, limit: 500 });
      return messages.map(({ content }) => (content as { seq?: number }).seq);
    };
    await eventually(async () => (await recalls()).length >= 350, { timeoutMs: 60_000 });
    await history.restart();
    assert.equal((await history.say("bo", conv, "on")) - last, 351, "nothing was ended twice");
    const ended = (await recalls()).slice(0, 350).sort((one = 0, other = 0) => one - other);
    assert.deepEqual(ended, seqs.slice(0, -1));
    assert.equal((await row("amy", conv))?.unread, 1);
  });

  await t.test(
    "with its pin, its file, and what answers show of it; whoever sent it, also a user who is disabled since",
    async () => {
      const conv = "p2p/amy/dot";
      const file = `f-${"c".repeat(32)}`;
      const body = Buffer.from(JSON.stringify({ id: "x", to: "user/x", content: { type: "file", file } }));
      const seq = await history.say("amy", conv, "file", { ...fromRead(1), type: "file", file, body });
      const answer = await history.say("dot", conv, "answer", { reply: seq });
      await history.change("", { event: "pin", by: "dot", uids: [], seq }, { conv });
      assert.equal((await row("dot", conv))?.pins?.length, 1);
      assert.equal((await seen("dot", conv, answer))?.quoted?.content.type, "file");
      await history.doors({ owner: "amy", version: 1, account: "disabled" });
      await assert.rejects(history.say("amy", conv, "more"), /forbidden/);
      await history.receipt({ conv, uid: "dot", read: seq });
      await eventually(async () => (await seen("dot", conv, seq))?.recalled?.expired === true);
      assert.deepEqual((await seen("dot", conv, answer))?.quoted?.content, { type: "erased" });
      assert.equal((await row("dot", conv))?.pins, undefined);
      const request = { removed: [], before: Date.now() + 1 };
      const freed = await requestJson<FreedReply>(history.nats, subjects.attachmentsFreed, request, {
        timeoutMs: 5_000,
      });
      assert.deepEqual(
        freed.files.map((one) => one.file),
        [file],
      );
      await assert.rejects(
        history.change("", { event: "pin", by: "dot", uids: [], seq }, { conv }),
        /not_found|no message/,
      );
    },
  );
});
