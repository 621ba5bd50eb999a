import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type Appended, type AppendGroup } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { createAppend } from "./append.ts";
import type { GroupAnswer } from "./ask-history.ts";

type Ask = (groups: readonly AppendGroup[], call: number) => GroupAnswer[] | Promise<GroupAnswer[]>;

function appendTo(ask: Ask, options: { timeoutMs?: number; requestsMax?: number } = {}) {
  const requests: string[][][] = [];
  const append = createAppend({
    ask: async (_holder, groups) => {
      requests.push(groups.map(({ items }) => items.map(({ id }) => id)));
      return ask(groups, requests.length);
    },
    holders: {
      of: () => "history-1",
      refresh: async () => undefined,
      told: (_key, ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    },
    timeoutMs: options.timeoutMs ?? 10_000,
    requestsMax: options.requestsMax ?? 2,
  });
  const send = (id: string, conv = "p2p/a/b", body = Buffer.from(`{"id":"${id}"}`)) =>
    append({ p: "0", conv, from: "a", device: "a", id, type: "text", body });
  return { send, requests };
}

let seq = 0;
const stored = (groups: readonly AppendGroup[]): GroupAnswer[] =>
  groups.map(({ items }) => items.map((): Appended => ({ seq: ++seq, ts: 1, memberSeq: 0 })));

test("what waits in one turn goes in one request, in order", async () => {
  const { send, requests } = appendTo(stored);
  const outcomes = await Promise.all(["1", "2", "3"].map((id) => send(id)));
  assert.deepEqual(requests, [[["1", "2", "3"]]]);
  assert.ok(outcomes.every((outcome) => !(outcome instanceof AppError)));
});

test("of one (p, q) at most one group is unanswered; what arrives meanwhile is the next one", async () => {
  const gate = Promise.withResolvers<void>();
  let underWay = 0;
  const { send, requests } = appendTo(async (groups, call) => {
    underWay += 1;
    assert.equal(underWay, 1);
    if (call === 1) await gate.promise;
    underWay -= 1;
    return stored(groups);
  });
  const first = send("1");
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const rest = [send("2"), send("3")];
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  assert.deepEqual(requests, [[["1"]]]);
  gate.resolve();
  await Promise.all([first, ...rest]);
  assert.deepEqual(requests, [[["1"]], [["2", "3"]]]);
});

test("a failed group goes again unchanged and before what came after it", async () => {
  const { send, requests } = appendTo((groups, call) => (call === 1 ? [{ again: undefined }] : stored(groups)));
  const first = [send("1"), send("2")];
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  await Promise.all([...first, send("3")]);
  assert.deepEqual(requests.slice(0, 2), [[["1", "2"]], [["1", "2"]]]);
  assert.deepEqual(requests.flat(2).slice(4), ["3"]);
});

test("a group that cannot be stored is split until its one culprit is refused alone, in order", async () => {
  const { send, requests } = appendTo((groups) =>
    groups.map((group) =>
      group.items.some(({ id }) => id === "3") ? "internal" : (stored([group])[0] as GroupAnswer),
    ),
  );
  const outcomes = await Promise.all(["1", "2", "3", "4"].map((id) => send(id)));
  const refused = outcomes.map((outcome) => (outcome instanceof AppError ? outcome.code : "stored"));
  assert.deepEqual(refused, ["stored", "stored", "internal", "stored"]);
  assert.deepEqual(requests.at(-1), [["4"]]);
});

test("a message that is not stored in time is refused as unavailable", async () => {
  const { send } = appendTo((groups) => groups.map(() => ({ again: "the store's disk is full" })), { timeoutMs: 250 });
  const outcome = await send("1");
  assert.ok(outcome instanceof AppError);
  assert.equal(outcome.code, "unavailable");
  assert.match(outcome.message, /the store's disk is full/, "with history's reason, where it gave one");
});

test("a request holds at most 500 messages and half a megabyte", async () => {
  const sizes: { messages: number; bytes: number }[] = [];
  const { send } = appendTo((groups) => {
    const items = groups.flatMap((group) => group.items);
    sizes.push({ messages: items.length, bytes: items.reduce((sum, { body }) => sum + body.byteLength, 0) });
    return stored(groups);
  });
  const convs = Array.from({ length: 40 }, (_, index) => `room/r${index}`);
  const body = Buffer.alloc(20_000, 0x20);
  await Promise.all(convs.flatMap((conv, index) => [send(`a${index}`, conv, body), send(`b${index}`, conv, body)]));
  await Promise.all(Array.from({ length: 1_200 }, (_, index) => send(`c${index}`)));
  assert.ok(sizes.every(({ messages, bytes }) => messages <= 500 && bytes <= 512 * 1024));
  assert.equal(
    sizes.reduce((sum, { messages }) => sum + messages, 0),
    1_280,
  );
});

test("a group that waits to go again holds up no other partition", async () => {
  const other = "room/other";
  assert.notEqual(conversationPartition(other), conversationPartition("p2p/a/b"));
  const { send } = appendTo(
    (groups) =>
      groups.map((group) =>
        group.q === conversationPartition(other) ? (stored([group])[0] as GroupAnswer) : { again: undefined },
      ),
    { timeoutMs: 400 },
  );
  const stuck = send("1");
  const outcome = await send("2", other);
  assert.ok(!(outcome instanceof AppError));
  assert.ok((await stuck) instanceof AppError);
});
