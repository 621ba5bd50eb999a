import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type MemberList } from "@parley/protocol";
import { createLogger, createMembers, type ReadMembers } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { createDeliver } from "./deliver.ts";
import { createSend, type SendKept } from "./send.ts";

const log = createLogger({ service: "test", level: "silent" });
const room = "room/r";
const list: MemberList = { conv: room, memberSeq: 1, members: [{ uid: "ann", role: "owner", stays: [[1, null]] }] };
const message = (seq: number, conv = room) => ({
  fields: { conv, seq, from: "ann", device: "ann", ts: 1 },
  memberSeq: 1,
  body: Buffer.from('{"id":"x"}'),
});

/** Two sessions with the broker, and what was put on each, in order; what it holds is answered when told. */
function sessions() {
  const sent: string[] = [];
  const answers: (() => void)[] = [];
  const session = (name: string): SendKept => {
    const publishMany = (topics: readonly string[], payload: Uint8Array) => {
      if (topics.length === 0) return Promise.resolve(undefined);
      for (const topic of topics) sent.push(`${name} ${topic} ${JSON.parse(Buffer.from(payload).toString()).seq}`);
      return new Promise<undefined>((resolve) => answers.push(() => resolve(undefined)));
    };
    return createSend({ publishMany }, { offer: () => undefined, has: () => false }, log).kept;
  };
  const answerAll = () => {
    for (const answer of answers.splice(0)) answer();
  };
  return { sent, session, answerAll };
}

test("the messages of one conversation go out on one session in their order, whichever their packets came on", async () => {
  const { sent, session, answerAll } = sessions();
  const asked = Promise.withResolvers<MemberList>();
  const deliver = createDeliver({ members: createMembers(() => asked.promise), log });
  const [one, other] = [session("one"), session("other")];
  const first = [deliver(message(2), one), deliver(message(3), other)];
  assert.deepEqual(sent, []);
  asked.resolve(list);
  await new Promise((resolve) => setImmediate(resolve));
  const last = deliver(message(4), other);
  assert.deepEqual(
    sent,
    [2, 3, 4].map((seq) => `one im/dn/ann/m ${seq}`),
  );
  answerAll();
  await Promise.all([...first, last]);
  // Nothing of it is under way any more: the packet's own session will do.
  const next = deliver(message(5), other);
  assert.equal(sent.at(-1), "other im/dn/ann/m 5");
  answerAll();
  await next;
});

test("when the session of a conversation ends, what other partitions have for it goes out on their own", async () => {
  const { sent, session, answerAll } = sessions();
  const deliver = createDeliver({ members: createMembers(async () => list), log });
  const ended = Promise.withResolvers<void>();
  const first = deliver(message(2, "p2p/ann/bob"), () => ended.promise);
  const second = deliver(message(3, "p2p/ann/bob"), session("other"));
  ended.reject(new AppError("unavailable", "closed", { details: { reason: "closed" } }));
  await assert.rejects(first, { code: "unavailable" });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, ["other im/dn/ann/m 3", "other im/dn/bob/m 3"]);
  answerAll();
  await second;
});

test("a room whose members cannot be read is given up once, for all of its messages; no failure is left unhandled", async () => {
  const { sent, session, answerAll } = sessions();
  let reads = 0;
  let read: ReadMembers = async () => {
    reads += 1;
    throw new Error("larger than a reply may be");
  };
  const members = createMembers((request) => read(request));
  const deliver = createDeliver({ members, log, giveUpMs: 60, keepMs: 60, pauseMs: 20 });
  const one = session("one");
  await Promise.all(Array.from({ length: 50 }, (_, index) => deliver(message(index + 2), one)));
  await new Promise((resolve) => setTimeout(resolve, 120));
  // The first one tries until it gives up; if each of the others did so too, there were twice as many.
  assert.ok(reads < 60, `${reads} reads`);
  assert.deepEqual(sent, []);
  // The first one after it begins to read, and those that come when it has been read are delivered.
  read = async () => list;
  await deliver(message(60), one);
  await new Promise((resolve) => setImmediate(resolve));
  const delivered = deliver(message(61), one);
  assert.deepEqual(sent, ["one im/dn/ann/m 61"]);
  answerAll();
  await delivered;
});

test("a room whose members cannot be read for long holds no packet, and has what was said meanwhile in order when they can", async () => {
  const { sent, session, answerAll } = sessions();
  let read: ReadMembers = () => Promise.reject(new Error("history is away"));
  const members = createMembers((request) => read(request));
  const deliver = createDeliver({ members, log, giveUpMs: 60, pauseMs: 20 });
  const one = session("one");
  await Promise.all([2, 3].map((seq) => deliver(message(seq), one)));
  await deliver(message(4), one);
  assert.deepEqual(sent, [], "the packets are let go, the copies are not");
  read = async () => list;
  await eventually(() => sent.length === 3);
  const next = deliver(message(5), one);
  assert.deepEqual(
    sent,
    [2, 3, 4, 5].map((seq) => `one im/dn/ann/m ${seq}`),
  );
  answerAll();
  await next;
});

test("what was kept for a room is left to sync when its session has ended, with a line in the log", async () => {
  const warned: unknown[] = [];
  let read: ReadMembers = () => Promise.reject(new Error("history is away"));
  const warn = (line: { event: string }) => void warned.push(line.event);
  const members = createMembers((request) => read(request));
  const deliver = createDeliver({ members, log: { ...log, warn } as never, giveUpMs: 60, pauseMs: 20 });
  const closed = new AppError("unavailable", "closed", { details: { reason: "closed" } });
  await deliver(message(2), () => Promise.reject(closed));
  read = async () => list;
  await eventually(() => warned.includes("delivery_left"));
});

test("what a message that was read before says is what its bytes say", async () => {
  const told: unknown[] = [];
  const trees = {
    offer: (packet: Uint8Array, _to: unknown, _channel: unknown, more?: { read?: (() => object) | undefined }) =>
      void told.push(JSON.parse(Buffer.from(packet).toString()), more?.read?.()),
    has: () => false,
  };
  const { kept } = createSend({ publishMany: async () => undefined }, trees, log);
  const deliver = createDeliver({ members: createMembers(() => Promise.resolve(list)), log });
  const parsed = { id: "m1", to: "user/bob", content: { type: "text", data: "hi" }, more: [1, null] };
  const fields = { conv: "p2p/alice/bob", seq: 7, from: "alice", device: "alice:web", ts: 1 };
  for (const expiresAt of [undefined, 5])
    await deliver(
      { fields: { ...fields, expiresAt }, memberSeq: 0, body: Buffer.from(JSON.stringify(parsed)), parsed },
      kept,
    );
  assert.equal(told.length, 4);
  assert.deepEqual(told[1], told[0]);
  assert.deepEqual(told[3], told[2]);
});
