// kill -9 of the real history between the halves of what is said about a message: edits, recalls, pins, marks, drafts.
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { draftsSet, type FreedReply, subjects, threadsUpdate } from "@parley/protocol";
import { type Checkpoint, callMethod, requestJson } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually } from "@parley/testkit";
import { startApiProcess } from "./api-process.ts";
import { askHolders } from "./asking-holders.ts";
import { startHistoryProcess } from "./history-process.ts";
import { password, type Reply } from "./surroundings.ts";

const api = await startApiProcess({ after });
await api.start();
const history = startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const username of ["alice", "bob"]) {
  await api.call("POST", "/register", { json: { username, password } });
  token[username] = (await api.call("POST", "/login", { json: { username, password } })).body.token;
}
// Read marks come over MQTT only: this is how a router hands them on.
const holders = await askHolders({ after }, api);
const conv = "p2p/alice/bob";
const at = encodeURIComponent(conv);

let keys = 0;
/** Sent again, with the same key, until somebody lives who answers. */
async function as(uid: string, verb: string, path: string, json?: object): Promise<Reply> {
  const headers: Record<string, string> = verb === "GET" ? {} : { "idempotency-key": `key-${keys++}` };
  let reply: Reply | undefined;
  await eventually(
    async () => {
      const call = api.call(verb, path, { token: token[uid]!, headers, ...(json && { json }) });
      reply = await call.catch(() => undefined);
      return reply !== undefined && reply.status !== 503;
    },
    { timeoutMs: 90_000 },
  );
  assert.equal(reply?.status, 200, JSON.stringify(reply?.body));
  return reply as Reply;
}
const say = async (content: object, more = {}) =>
  (await as("alice", "POST", "/messages", { to: "user/bob", content, ...more })).body.seq as number;

interface Shown {
  seq: number;
  content: { type: string; data?: unknown };
  edited?: { content: { data?: unknown } };
  recalled?: object;
}
const read = async (uid: string) =>
  (await as(uid, "GET", `/conversations/${at}/messages?limit=200`)).body.messages as Shown[];
const entriesBehind = async (seq: number, type: string) =>
  (await read("bob")).filter((one) => one.seq > seq && one.content.type === type);

/** The next history dies there with this in hand, and another one answers. */
async function dieAt<T>(point: Checkpoint, work: () => Promise<T>): Promise<T> {
  await history.stop();
  history.start(point);
  const asked = work();
  assert.equal(await history.died(), "SIGKILL");
  history.start();
  return asked;
}

for (const point of ["before-commit", "before-annotations", "before-reply"] as const)
  test(`an edit with which history dies ${point} is made once, and is what everybody reads`, async () => {
    const seq = await say({ type: "text", data: "first words" });
    await dieAt(point, () => say({ type: "edit", seq, data: "last words" }));
    assert.equal((await entriesBehind(seq, "edit")).length, 1);
    for (const uid of ["alice", "bob"])
      assert.equal((await read(uid)).find((one) => one.seq === seq)?.edited?.content.data, "last words");
    const { versions } = (await as("bob", "GET", `/conversations/${at}/messages/${seq}/versions`)).body;
    assert.equal(versions.length, 2);
  });

const emptying = ["before-emptied", "before-place-left", "before-annotations"] as const;
for (const point of ["before-commit", ...emptying, "before-reply"] as const)
  test(`a recall with which history dies ${point} is made once; nothing of the message is left, and its file is free`, async () => {
    const headers = { "content-type": "text/plain" };
    const raw = `a file of ${point}`;
    const file = (await api.call("POST", "/attachments", { token: token.alice!, raw, headers })).body.id as string;
    const canary = `zq8canary-${point}`;
    const seq = await say({ type: "file", file, data: canary });
    await dieAt(point, () => say({ type: "recall", seq }));
    assert.equal((await entriesBehind(seq, "recall")).length, 1);
    const shown = (await read("bob")).find((one) => one.seq === seq);
    assert.ok(shown?.recalled);
    assert.equal(JSON.stringify(shown).includes(canary), false);
    const asked = { removed: [], before: Date.now() + 1 };
    const freed = await requestJson<FreedReply>(api.nats, subjects.attachmentsFreed, asked, { timeoutMs: 30_000 });
    assert.ok(freed.files.some((one) => one.file === file));
    await history.stop();
    const files = globSync(join(api.folder, "data/history/*")).filter((path) => readFileSync(path).includes(canary));
    history.start();
    assert.deepEqual(files, []);
  });

for (const point of ["before-change", "before-structure", "before-change-reply"] as const)
  test(`a pin with which history dies ${point} is set once`, async () => {
    const seq = await say({ type: "text", data: "pinned" });
    await dieAt(point, () => as("alice", "PUT", `/conversations/${at}/messages/${seq}/pin`));
    assert.equal((await entriesBehind(seq, "event")).length, 1);
    const pins = (await as("bob", "GET", `/conversations/${at}/pins`)).body.pins as { seq: number }[];
    assert.equal(pins.filter((pin) => pin.seq === seq).length, 1);
  });

test("a first reading with which history dies before the mark moves has started the message's time, and is taken when it is told again", async () => {
  const seq = await say({ type: "text", data: "brief" }, { expires: 1, expiresFrom: "read" });
  const asked = () => holders.json<object>("receipt", conv, { conv, uid: "bob", read: seq });
  await dieAt("before-mark-moved", () => eventually(asked, { timeoutMs: 90_000 }));
  await eventually(async () => (await read("bob")).find((one) => one.seq === seq)?.recalled !== undefined, {
    timeoutMs: 60_000,
  });
  assert.equal((await entriesBehind(seq, "recall")).length, 1);
  const { conversations } = (await as("bob", "GET", "/conversations")).body;
  assert.ok(conversations.find((one: { conv: string }) => one.conv === conv).readSeq >= seq);
});

/** History dies with it in hand, and nobody asks again: not through api, which would. */
async function dieUnanswered(ask: () => Promise<unknown>): Promise<void> {
  let isDead = false;
  await dieAt("before-own-reply", async () => {
    const died = history.died().then(() => {
      isDead = true;
    });
    while (!isDead) await Promise.race([ask().catch(() => undefined), died]);
  });
}
const bob = { uid: "bob", via: "service" } as const;
const timeoutMs = 30_000;

test("a draft with which history dies before it is answered, and nobody asks again, is told to every device by sync", async () => {
  const before = Date.now();
  await dieUnanswered(() => callMethod(api.nats, draftsSet, bob, { conv, text: "half" }, { timeoutMs }));
  const { drafts } = (await as("bob", "GET", "/drafts")).body;
  assert.deepEqual(drafts.map((one: { text: string }) => one.text), ["half"]); // biome-ignore format: one line
  assert.ok((await as("bob", "POST", "/sync", {})).body.kept.drafts >= before);
});

test("a thread that is followed when history dies before it is answered, and nobody asks again, is marked as changed for sync", async () => {
  const seq = await say({ type: "text", data: "root" });
  await say({ type: "text", data: "in it" }, { thread: seq });
  const before = Date.now();
  await dieUnanswered(() => callMethod(api.nats, threadsUpdate, bob, { conv, seq, following: true }, { timeoutMs }));
  const { threads } = (await as("bob", "GET", `/conversations/${at}/threads`)).body;
  assert.equal(threads.find((one: { seq: number }) => one.seq === seq).following, true);
  await history.stop();
  const opened = await openStore(`sqlite:${api.folder}/data`, { service: "history" });
  const indexes = { by_uid: ["uid", "conv"], by_conv: ["conv", "uid"], by_reader: ["reader", "conv"] };
  const members = await opened.documents().collection<{ changedAt?: number }>({ name: "members", indexes });
  assert.ok(((await members.get(`${conv} bob`))?.doc.changedAt ?? 0) >= before);
  await opened.close();
  history.start();
});
