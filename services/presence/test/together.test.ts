// What is told and asked of many devices at once: each is made by itself, and what is wrong with one is nobody else's affair.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectReplies, type SessionEvent, subjects } from "@parley/protocol";
import { connectRedis, requestJson } from "@parley/runtime";
import { eventually, serviceContext, type TestContext } from "@parley/testkit";
import { changeSessions, type SessionChange, type SessionOutcome } from "../src/sessions/change.ts";
import { userKey } from "../src/sessions/keys.ts";
import { type Presence, startOne } from "./start.ts";

async function startWithRedis(t: TestContext) {
  const presence = await startOne(t);
  const redis = await connectRedis({ url: presence.redis.url, log: serviceContext("presence").log });
  t.after(() => redis.disconnect());
  const sessionOf = async (uid: string, clientId: string) => {
    const text = await redis.hget(userKey(uid), clientId);
    return text === null ? undefined : (JSON.parse(text) as { connection?: string; broker: number });
  };
  return { presence, redis, sessionOf };
}

function connects(presence: Presence, asked: object[]): Promise<ConnectReplies> {
  return requestJson(presence.nats, subjects.connectDevice, asked, { timeoutMs: 30_000 });
}

const connect = (uid: string, more: object = {}) => ({
  uid,
  clientId: `${uid}:phone`,
  credential: "token",
  at: Date.now(),
  ...more,
});

test("of many that connect at once each is answered in its place, and every one that is let in has its session by then", async (t) => {
  const { presence, sessionOf } = await startWithRedis(t);
  const many = Array.from({ length: 150 }, (_, index) => connect(`user${index}`, { connection: `c${index}` }));
  const wrong = [{ ...connect("eve"), at: "now" }, { ...connect("eve"), clientId: "alice:phone" }, connect("../eve")];
  const asked = [wrong[0]!, ...many, wrong[1]!, wrong[2]!];
  const replies = await connects(presence, asked);
  const said = replies.map((reply) => ("error" in reply ? reply.error.code : reply.ok || reply.reason));
  const all = many.map(() => true as const);
  assert.deepEqual(said, ["invalid_packet", ...all, "owned_by_another", "invalid_packet"]);
  for (const [index, { uid, clientId }] of many.entries())
    assert.equal((await sessionOf(uid, clientId))?.connection, `c${index}`);
});

test("a list of events is taken in its order, whatever is wrong with one of them", async (t) => {
  const { presence, sessionOf } = await startWithRedis(t);
  await presence.connect("alice:phone", { connection: "one" });
  const alice = { clientId: "alice:phone", user: "alice", tree: false } as const;
  const events: (SessionEvent | object)[] = [
    { event: "connected", ...alice, at: Date.now(), connection: "one" },
    { event: "stolen", ...alice, at: 1 },
    { event: "gone", clientId: 7, at: 1 },
    { event: "gone", ...alice, at: Date.now(), connection: "one" },
    { event: "connected", clientId: "bob:web", at: Date.now(), connection: "two", tree: false },
  ];
  await presence.publish(subjects.sessionEvent, events);
  await eventually(async () => ((await sessionOf("bob", "bob:web"))?.broker ?? 0) > 0);
  await eventually(async () => (await sessionOf("alice", "alice:phone")) === undefined);
  assert.equal(presence.lines.filter(({ event }) => event === "event_refused").length, 2);
});

test("a change that Redis cannot make fails alone, and those before and behind it in its call are made", async (t) => {
  const { redis, sessionOf } = await startWithRedis(t);
  await redis.set(userKey("broken"), "no hash");
  const begin = (uid: string): SessionChange => ({ op: "connect", uid, clientId: `${uid}:phone`, at: 1 });
  const outcomes = await changeSessions(redis, [begin("ann"), begin("broken"), begin("zoe")], 0);
  const applied = outcomes.map((one) => (one instanceof Error ? one.message : (one as SessionOutcome).applied));
  assert.deepEqual([applied[0], applied[2]], [true, true]);
  assert.match(String(applied[1]), /WRONGTYPE/);
  for (const uid of ["ann", "zoe"]) assert.ok(await sessionOf(uid, `${uid}:phone`));
});

test("two changes of one device in one call are made in their order", async (t) => {
  const { redis, sessionOf } = await startWithRedis(t);
  const phone = { uid: "ann", clientId: "ann:phone" };
  await changeSessions(
    redis,
    [
      { ...phone, op: "connect", at: 1, connection: "one" },
      { ...phone, op: "end", at: 2, connection: "one" },
      { ...phone, op: "connect", at: 3, connection: "two" },
    ],
    0,
  );
  assert.equal((await sessionOf("ann", "ann:phone"))?.connection, "two");
});
