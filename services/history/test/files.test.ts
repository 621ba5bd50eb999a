// Who may have a file: its owner, and members whose stay holds a message with it that its sender could read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type AppendItem, type FreedFile, type FreedReply, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { hasMongo, type TestContext, testMongo } from "@parley/testkit";
import { about, startTestHistory, type TestHistory } from "./surroundings.ts";

const timeoutMs = 5_000;
const fileId = (letter: string) => `f-${letter.repeat(32)}`;

function withFile(file: string): Partial<AppendItem> {
  const body = Buffer.from(JSON.stringify({ id: "x", to: "user/x", content: { type: "file", file } }));
  return { type: "file", file, body };
}

async function begin(t: TestContext, storeUrl?: string) {
  const history = await startTestHistory(t, storeUrl);
  const file = fileId("a");
  const mayHave = async (uid: string, asked = file): Promise<boolean> => {
    const request = { file: asked, owner: "ann", uid };
    return (await requestJson<{ may: boolean }>(history.nats, subjects.attachmentAllowed, request, { timeoutMs })).may;
  };
  const sent = async (...files: string[]) =>
    (await requestJson<{ sent: string[] }>(history.nats, subjects.attachmentsSent, { files }, { timeoutMs })).sent;
  const freed = async (removed: readonly FreedFile[] = []) => {
    const request = { removed, before: Date.now() + 1 };
    return (await requestJson<FreedReply>(history.nats, subjects.attachmentsFreed, request, { timeoutMs })).files;
  };
  return { history, file, mayHave, sent, freed };
}

async function room(history: TestHistory, id: string, ...uids: string[]): Promise<void> {
  await history.change(id, { event: "create", by: "ann", uids, name: id });
}

async function membersOnly(t: TestContext, storeUrl?: string): Promise<void> {
  const { history, file, mayHave, sent } = await begin(t, storeUrl);
  assert.equal(await mayHave("ann"), true);
  assert.equal(await mayHave("bob"), false);
  await history.say("ann", "bob", "m1", withFile(file));
  assert.deepEqual([await mayHave("bob"), await mayHave("eve")], [true, false]);
  assert.deepEqual(await sent(file, fileId("b")), [file]);
  await history.restart();
  assert.deepEqual([await mayHave("bob"), await mayHave("eve")], [true, false]);
}

test("a file is the two's of the conversation in which it was sent, and nobody else's, also after a restart", (t) =>
  membersOnly(t));

test("on MongoDB too", { skip: !hasMongo() }, async (t) => membersOnly(t, (await testMongo(t))?.url));

test("a member has the files of its stay: not those from before it joined, nor from after it was removed", async (t) => {
  const { history, file, mayHave } = await begin(t);
  const [before, after] = [fileId("b"), fileId("c")];
  await room(history, "r1", "bob");
  await history.say("ann", "room/r1", "m1", withFile(before));
  await history.change("r1", { event: "invite", by: "ann", uids: ["carl"] });
  await history.say("ann", "room/r1", "m2", withFile(file));
  await history.change("r1", { event: "remove", by: "ann", uids: ["carl"] });
  await history.say("ann", "room/r1", "m3", withFile(after));
  assert.deepEqual(await Promise.all([before, file, after].map((one) => mayHave("carl", one))), [false, true, false]);
  assert.deepEqual(await Promise.all([before, file, after].map((one) => mayHave("bob", one))), [true, true, true]);
});

test("who knows the id of a file and could not read it gains nothing by sending it on; who could may", async (t) => {
  const { history, file, mayHave } = await begin(t);
  await history.say("eve", "fred", "m1", withFile(file));
  assert.deepEqual([await mayHave("eve"), await mayHave("fred")], [false, false]);
  await history.say("ann", "bob", "m1", withFile(file));
  await history.say("bob", "carl", "m1", withFile(file));
  await history.say("carl", "dora", "m1", withFile(file));
  assert.deepEqual([await mayHave("carl"), await mayHave("dora"), await mayHave("fred")], [true, true, false]);
  // What she is sent she may send on, and what she sent before counts then.
  await history.say("dora", "eve", "m1", withFile(file));
  assert.deepEqual([await mayHave("eve"), await mayHave("fred")], [true, true]);
});

test("a recalled message shows its file no longer", async (t) => {
  const { history, file, mayHave } = await begin(t);
  const seq = await history.say("ann", "bob", "m1", withFile(file));
  assert.equal(await mayHave("bob"), true);
  await history.say("ann", "bob", "m2", about("recall", seq));
  assert.equal(await mayHave("bob"), false);
});

test("what is no id of an attachment is refused", async (t) => {
  const { history } = await begin(t);
  for (const request of [{ file: "../x" }, { file: 7 }, {}])
    await assert.rejects(
      requestJson(history.nats, subjects.attachmentAllowed, { uid: "bob", ...request }, { timeoutMs }),
      {
        code: "invalid_packet",
      },
    );
  await assert.rejects(requestJson(history.nats, subjects.attachmentsSent, { files: "x" }, { timeoutMs }), {
    code: "invalid_packet",
  });
});

async function freedByRecall(t: TestContext, storeUrl?: string): Promise<void> {
  const { history, file, sent, freed } = await begin(t, storeUrl);
  const other = fileId("b");
  const [one, two] = [
    await history.say("ann", "bob", "m1", withFile(file)),
    await history.say("ann", "bob", "m2", withFile(file)),
  ];
  const third = await history.say("ann", "bob", "m3", withFile(other));
  assert.deepEqual(await freed(), []);
  await history.say("ann", "bob", "r1", about("recall", one));
  assert.deepEqual(await freed(), [], "another message holds it");
  await history.say("ann", "bob", "r2", about("recall", two));
  await history.say("ann", "bob", "r3", about("recall", third));
  await history.restart();
  const all = await freed();
  assert.deepEqual(all.map(({ file: each }) => each).sort(), [file, other]);
  assert.deepEqual(await sent(file, other), []);
  // Whoever sends one of them again has it kept, and whoever removed the other is not asked again.
  await history.say("ann", "bob", "m4", withFile(file));
  assert.deepEqual(await freed(all.filter(({ file: each }) => each === other)), []);
}

test("a file is told as free once its last message is recalled, until it is removed or sent again", (t) =>
  freedByRecall(t));

test("on MongoDB it is told as well", { skip: !hasMongo() }, async (t) => freedByRecall(t, (await testMongo(t))?.url));
