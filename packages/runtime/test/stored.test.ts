// Following STORED on a real NATS; history is played, so that it can be away and have entries that nobody can take.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  AppError,
  packStoredEntries,
  progressSubject,
  type StoredEntriesRequest,
  type StoredEntry,
  type StoredReferences,
  storedSubject,
  streams,
  subjects,
} from "@parley/protocol";
import { eventually, startServers } from "@parley/testkit";
import {
  answer,
  connectNats,
  type DeadReference,
  type FollowStoredOptions,
  followReferences,
  followStored,
  type NatsConnection,
  parseJson,
} from "../src/index.ts";
import { recordingLogger } from "./recorder.ts";

const q = 7;
const durable = "tester";

async function start(t: TestContext) {
  const { nats: server } = await startServers(t, { nats: true });
  const { log } = recordingLogger();
  const connection = async (): Promise<NatsConnection> => {
    const nats = await connectNats({ url: server.url, name: "test", log });
    t.after(() => nats.close());
    return nats;
  };
  const nats = await connection();
  const manager = await jetstreamManager(nats);
  for (const { name, subjects: kept } of [streams.stored, streams.dead])
    await manager.streams.add({ name, subjects: [...kept] });
  const history = playHistory(nats, log);
  const follow = (options: Partial<FollowStoredOptions> & Pick<FollowStoredOptions, "take">) => {
    const defaults = { nats, durable, filter: streams.stored.originFilter, retryMs: 20, log };
    const following = followStored({ ...defaults, ...options });
    t.after(() => following.close());
    return following;
  };
  return { nats, manager, history, connection, follow, announce: announcing(nats), dead: deadOf(manager) };
}

/** One message of JetStream that carries references to all the positions. */
function announcing(nats: NatsConnection, partition = q) {
  return async (...positions: number[]) => {
    const entries = positions.map((pos) => {
      const { body: _, memberSeq: _m, device: _d, onward: _o, ...reference } = entryAt(pos);
      return reference;
    });
    const references: StoredReferences = { q: partition, entries };
    await jetstream(nats).publish(storedSubject(partition, "origin"), JSON.stringify(references));
  };
}

/** The same again, as of what goes on to other rooms. */
async function announceOnward(nats: NatsConnection, pos: number): Promise<void> {
  const references = {
    q,
    entries: [{ pos, conv: "room/r", seq: pos, from: "ann", type: "text", ts: 1, onward: true }],
  };
  await jetstream(nats).publish(storedSubject(q, "onward"), JSON.stringify(references));
}

function entryAt(pos: number): StoredEntry {
  const names = { conv: "room/r", from: "ann", device: "api", type: "text", origin: "api" };
  return { pos, seq: pos, ts: 1, memberSeq: 1, ...names, body: Buffer.from(`{"id":"${pos}"}`) };
}

function playHistory(nats: NatsConnection, log: FollowStoredOptions["log"]) {
  const asked: number[][] = [];
  const awayOf = new Set<number>();
  const state = { asked, missing: new Set<number>(), atOnce: Number.POSITIVE_INFINITY, away: false, awayOf };
  answer(
    nats,
    subjects.storedEntries,
    "history",
    (payload) => {
      const { q: partition, positions } = parseJson(payload) as StoredEntriesRequest;
      if (state.away || state.awayOf.has(partition)) throw new AppError("unavailable");
      asked.push(positions);
      const some = positions.slice(0, state.atOnce);
      return packStoredEntries(some.map((pos) => (state.missing.has(pos) ? null : entryAt(pos))));
    },
    log,
  );
  return state;
}

function deadOf(manager: JetStreamManager) {
  return async (): Promise<DeadReference[]> => {
    const { state } = await manager.streams.info(streams.dead.name);
    const letters: DeadReference[] = [];
    for (let seq = state.first_seq; seq > 0 && seq <= state.last_seq; seq++) {
      const letter = await manager.streams.getMessage(streams.dead.name, { seq });
      assert.ok(letter);
      letters.push(letter.json());
    }
    return letters;
  };
}

const unacknowledged = async (manager: JetStreamManager) =>
  (await manager.consumers.info(streams.stored.name, durable)).num_ack_pending;

test("entries are read many at once, taken in order, once each, and what is not there is left out", async (t) => {
  const { manager, history, follow, announce } = await start(t);
  history.missing.add(4);
  history.atOnce = 3;
  const taken: number[] = [];
  await announce(1, 2, 3, 4, 5);
  await announce(6);
  follow({
    async take(entries) {
      for (const { pos, body } of entries) {
        taken.push(pos);
        assert.equal(Buffer.from(body).toString(), `{"id":"${pos}"}`);
      }
    },
  });
  await eventually(async () => taken.length === 5 && (await unacknowledged(manager)) === 0);
  assert.deepEqual(taken, [1, 2, 3, 5, 6]);
  assert.ok(history.asked.length < 6, `asked ${history.asked.length} times`);
});

test("references that are not wanted are not read", async (t) => {
  const { manager, history, follow, announce } = await start(t);
  await announce(1, 2, 3);
  await announce(5);
  const taken: number[] = [];
  const wants = ({ pos }: { pos: number }) => pos === 2;
  follow({ wants, take: async (entries) => taken.push(...entries.map(({ pos }) => pos)) });
  await eventually(async () => taken.length === 1 && (await unacknowledged(manager)) === 0);
  assert.deepEqual(history.asked, [[2]]);
});

test("what a subject of another kind says again is passed over", async (t) => {
  const { nats, manager, history, follow, announce } = await start(t);
  const taken: number[] = [];
  for (const pos of [1, 2]) {
    await announceOnward(nats, pos);
    await announce(pos);
  }
  const take = async (entries: StoredEntry[]) => void taken.push(...entries.map(({ pos }) => pos));
  follow({ filter: streams.stored.subjects[0], kinds: ["mqtt", "origin"], take });
  await eventually(async () => taken.length >= 2 && (await unacknowledged(manager)) === 0);
  assert.deepEqual([taken, history.asked.flat()], [[1, 2], [1, 2]]); // biome-ignore format: one line reads better
});

test("where it is ordered one message is in hand at a time, of all replicas: none is taken before those ahead of it", async (t) => {
  const { manager, follow, announce } = await start(t);
  const taken: number[] = [];
  let inHand = 0;
  let failures = 3;
  const take = async (entries: StoredEntry[]) => {
    inHand += 1;
    assert.equal(inHand, 1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inHand -= 1;
    if (entries.some(({ pos }) => pos === 4) && failures-- > 0) throw new AppError("unavailable");
    taken.push(...entries.map(({ pos }) => pos));
  };
  for (let pos = 1; pos <= 20; pos++) await announce(pos);
  for (let replica = 0; replica < 3; replica++) follow({ isOrdered: true, batchMessages: 1, take });
  await eventually(async () => taken.length === 20 && (await unacknowledged(manager)) === 0);
  assert.deepEqual(
    taken,
    Array.from({ length: 20 }, (_, at) => at + 1),
  );
});

test("an entry that fails every time is dead after maxDeliver, alone: those beside and behind it are taken", async (t) => {
  const { manager, follow, announce, dead } = await start(t);
  const taken = new Set<number>();
  let failed = 0;
  const told: DeadReference[] = [];
  await announce(1, 2, 3);
  await announce(4);
  follow({
    maxDeliver: 3,
    onDead: (letter) => told.push(letter),
    async take(entries) {
      if (entries.some(({ pos }) => pos === 2)) {
        failed += 1;
        throw new TypeError("x is not a function");
      }
      for (const { pos } of entries) taken.add(pos);
    },
  });
  await eventually(async () => taken.size === 3 && told.length === 1 && (await unacknowledged(manager)) === 0);
  assert.deepEqual([...taken].sort(), [1, 3, 4]);
  const letters = await dead();
  assert.deepEqual(
    letters.map(({ reference, code, message }) => [reference?.pos, code, message]),
    [[2, "internal", "TypeError: x is not a function"]],
  );
  assert.deepEqual(told, letters);
  // Three times with the others, once by itself, and once in a batch if both were there at once.
  assert.ok(failed === 4 || failed === 5, `failed ${failed} times`);
});

test("a message that holds no references is dead, and those behind it are taken", async (t) => {
  const { nats, manager, follow, announce, dead } = await start(t);
  await jetstream(nats).publish(storedSubject(q, "origin"), "no JSON");
  await announce(1);
  const taken: number[] = [];
  follow({ maxDeliver: 2, take: async (entries) => taken.push(...entries.map(({ pos }) => pos)) });
  await eventually(async () => (await unacknowledged(manager)) === 0 && taken.includes(1));
  await eventually(async () => (await dead()).length === 1);
});

test("what may pass never counts: however often history or who takes it is away, nothing is dead and all is taken", async (t) => {
  const { manager, history, follow, announce, dead } = await start(t);
  await announce(1, 2);
  history.away = true;
  let refusals = 0;
  const taken: number[] = [];
  follow({
    maxDeliver: 2,
    async take(entries) {
      if (refusals++ < 10) throw new AppError("unavailable");
      taken.push(...entries.map(({ pos }) => pos));
    },
  });
  await eventually(async () => (await manager.consumers.info(streams.stored.name, durable)).num_redelivered > 0);
  history.away = false;
  await eventually(async () => taken.length === 2 && (await unacknowledged(manager)) === 0);
  assert.deepEqual(await dead(), []);
});

test("a partition whose history is away keeps up its own entries alone", async (t) => {
  const { nats, manager, history, follow, announce, dead } = await start(t);
  const announceOther = announcing(nats, q + 1);
  await announceOther(1);
  await announce(2);
  await announceOther(3);
  await announce(4);
  history.awayOf.add(q + 1);
  const taken: number[] = [];
  follow({ maxDeliver: 2, take: async (entries) => taken.push(...entries.map(({ pos }) => pos)) });
  await eventually(async () => (await manager.consumers.info(streams.stored.name, durable)).num_ack_pending === 2);
  await eventually(async () => (await manager.consumers.info(streams.stored.name, durable)).num_redelivered > 0);
  assert.deepEqual(taken, [2, 4]);
  history.awayOf.clear();
  await eventually(async () => (await unacknowledged(manager)) === 0);
  assert.deepEqual(taken.toSorted(), [1, 2, 3, 4]);
  assert.deepEqual(await dead(), []);
});

test("a consumer that is gone does not bring old messages again, and misses no new one", async (t) => {
  const { manager, follow, announce } = await start(t);
  const taken: number[] = [];
  await announce(1, 2);
  const options = {
    beginMsBack: 60_000,
    take: async (entries: StoredEntry[]) => entries.map(({ pos }) => taken.push(pos)),
  };
  const first = follow(options);
  await eventually(async () => taken.length === 2 && (await unacknowledged(manager)) === 0);
  await first.close();
  await manager.consumers.delete(streams.stored.name, durable);
  follow({ ...options, beginMsBack: 0 });
  await eventually(() => manager.consumers.info(streams.stored.name, durable));
  await announce(3);
  await eventually(() => taken.length === 3);
  assert.deepEqual(taken, [1, 2, 3]);
});

test("a consumer deleted while it is followed is made again where it was: nothing twice, nothing lost", async (t) => {
  const { manager, follow, announce } = await start(t);
  const taken: number[] = [];
  let isAway = false;
  const taking: FollowStoredOptions["take"] = async (entries) => {
    if (isAway) throw new AppError("unavailable");
    taken.push(...entries.map(({ pos }) => pos));
  };
  follow({ take: taking, retryMs: 60_000 });
  await announce(1);
  await announce(2);
  await eventually(async () => taken.length === 2 && (await unacknowledged(manager)) === 0);
  isAway = true;
  await announce(3);
  await eventually(async () => (await unacknowledged(manager)) === 1);
  await manager.consumers.delete(streams.stored.name, durable);
  isAway = false;
  await announce(4);
  await eventually(() => taken.includes(4));
  // What waited for its next try has been lost with the consumer, and comes first of all.
  assert.deepEqual(taken, [1, 2, 3, 4]);
});

/** Two replicas; 2 was given back by the first, and what came after it was taken by either. */
async function startTwo(t: TestContext) {
  const { manager, follow, announce, connection, ...rest } = await start(t);
  const taken: Record<"a" | "b", number[]> = { a: [], b: [] };
  const state = { isAway: true, work: Promise.resolve() };
  const taking = (replica: "a" | "b") => async (entries: StoredEntry[]) => {
    if (state.isAway && entries.some(({ pos }) => pos === 2)) throw new AppError("unavailable");
    taken[replica].push(...entries.map(({ pos }) => pos));
    await state.work;
  };
  const natsOfA = await connection();
  const a = follow({ nats: natsOfA, take: taking("a"), retryMs: 60_000 });
  await announce(1);
  await eventually(async () => taken.a.length === 1 && (await unacknowledged(manager)) === 0);
  await announce(2);
  await eventually(async () => (await unacknowledged(manager)) === 1);
  follow({ nats: await connection(), take: taking("b"), retryMs: 60_000 });
  let pos = 2;
  await eventually(async () => {
    await announce(++pos);
    return taken.b.length > 0 && taken.a.length > 1;
  });
  await eventually(async () => (await unacknowledged(manager)) === 1);
  const all = () => [...taken.a, ...taken.b].sort((one, other) => one - other);
  return { a, natsOfA, manager, announce, taken, state, all, last: () => pos, ...rest };
}

function heard(nats: NatsConnection, subject: string): Promise<void> {
  return new Promise((resolve) => nats.subscribe(subject, { max: 1, callback: () => resolve() }));
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

test("what another replica gave back before the consumer was lost is taken, and nothing that either took comes again", async (t) => {
  const { manager, announce, state, all, last } = await startTwo(t);
  await manager.consumers.delete(streams.stored.name, durable);
  state.isAway = false;
  await announce(last() + 1);
  await eventually(() => all().includes(last() + 1) && all().includes(2));
  await eventually(async () => (await unacknowledged(manager)) === 0);
  assert.deepEqual(all(), upTo(last() + 1));
});

test("what a replica that died had given back is taken though the consumer is lost as well", async (t) => {
  const { natsOfA, manager, announce, state, all, last } = await startTwo(t);
  await natsOfA.close();
  await manager.consumers.delete(streams.stored.name, durable);
  state.isAway = false;
  await announce(last() + 1);
  await eventually(() => all().includes(last() + 1) && all().includes(2));
});

test("what one replica has in hand while the consumer is lost is not taken by another one as well", async (t) => {
  const { nats, manager, announce, state, all, last } = await startTwo(t);
  const work = Promise.withResolvers<void>();
  state.work = work.promise;
  state.isAway = false;
  const from = last() + 1;
  const inHand = [0, 1, 2, 3, 4, 5].map((more) => from + more);
  for (const pos of inHand) await announce(pos);
  await eventually(async () => (await unacknowledged(manager)) === inHand.length + 1);
  const asked = heard(nats, progressSubject(durable));
  await manager.consumers.delete(streams.stored.name, durable);
  const next = from + inHand.length;
  await announce(next);
  // Whoever finds it missing asks first, and waits for what is in hand: longer than for answers.
  await asked;
  const later = performance.now() + 1_000;
  await eventually(() => performance.now() > later);
  work.resolve();
  await eventually(() => all().includes(next) && all().includes(2));
  await eventually(async () => (await unacknowledged(manager)) === 0);
  assert.deepEqual(all(), upTo(next));
});

test("a consumer that is lost before it gave anything begins where it began", async (t) => {
  const { manager, follow, announce } = await start(t);
  await announce(1);
  const taken: number[] = [];
  follow({ beginMsBack: 0, take: async (entries) => taken.push(...entries.map(({ pos }) => pos)) });
  await eventually(() => manager.consumers.info(streams.stored.name, durable));
  await manager.consumers.delete(streams.stored.name, durable);
  await announce(2);
  await eventually(() => taken.includes(2));
  assert.deepEqual(taken, [2]);
});

test("a stream that is made anew is followed from its beginning, though its numbers begin again", async (t) => {
  const { manager, follow, announce } = await start(t);
  const taken: number[] = [];
  follow({ take: async (entries) => taken.push(...entries.map(({ pos }) => pos)) });
  for (const pos of [1, 2, 3]) await announce(pos);
  await eventually(() => taken.length === 3);
  const { name, subjects: kept } = streams.stored;
  await manager.streams.delete(name);
  await manager.streams.add({ name, subjects: [...kept] });
  await announce(4);
  await eventually(() => taken.includes(4));
  // The consumer alone is lost now: its place is one of the new stream.
  await eventually(async () => (await unacknowledged(manager)) === 0);
  await manager.consumers.delete(name, durable);
  await announce(5);
  await eventually(() => taken.includes(5));
  assert.deepEqual(taken, [1, 2, 3, 4, 5]);
});

test("close finishes what is being taken and gives back the rest, which another replica takes", async (t) => {
  const { follow, announce, connection, manager } = await start(t);
  const work = Promise.withResolvers<void>();
  const here: number[] = [];
  const first = follow({
    async take(entries) {
      here.push(...entries.map(({ pos }) => pos));
      await work.promise;
    },
  });
  await announce(1);
  await eventually(() => here.length === 1);
  await announce(2);
  await eventually(async () => (await unacknowledged(manager)) === 2);
  const closed = first.close();
  const there: number[] = [];
  follow({ nats: await connection(), take: async (entries) => there.push(...entries.map(({ pos }) => pos)) });
  work.resolve();
  await closed;
  await eventually(() => there.length === 1);
  assert.deepEqual([here, there], [[1], [2]]);
});

test("what is held comes at once, and is taken when it has been stored for so long; close gives back what is still held", async (t) => {
  const { nats, follow } = await start(t);
  const announce = (pos: number, ts: number) => {
    const reference = { pos, conv: "room/r", seq: pos, from: "ann", type: "text", ts };
    return jetstream(nats).publish(storedSubject(q, "origin"), JSON.stringify({ q, entries: [reference] }));
  };
  const held = { nats, durable: "holding", filter: streams.stored.originFilter, holdMs: 400 };
  const arrived: number[] = [];
  const taken: [pos: number, ageMs: number][] = [];
  const holding = followReferences({
    ...held,
    arrived: (found) => arrived.push(...found.map(({ reference }) => reference.pos)),
    take: async (found) => {
      assert.deepEqual(arrived, [1], "it came before it is taken");
      for (const { reference } of found) taken.push([reference.pos, Date.now() - announcedAt]);
    },
    log: recordingLogger().log,
  });
  t.after(() => holding.close());
  const announcedAt = Date.now();
  await announce(1, announcedAt);
  await eventually(() => taken.length === 1);
  const [, ageMs] = taken[0]!;
  // The server's time is rounded down to a millisecond.
  assert.ok(ageMs >= 399, `taken after ${ageMs} ms`);
  await announce(2, Date.now());
  await eventually(() => arrived.length === 2);
  await holding.close();
  const next: number[] = [];
  follow({ durable: "holding", take: async (entries) => next.push(...entries.map(({ pos }) => pos)) });
  await eventually(() => next.length === 1);
  assert.deepEqual([arrived, next], [[1, 2], [2]]);
});

test("what waited to be announced is held for the rest alone", async (t) => {
  const { nats } = await start(t);
  const taken: number[] = [];
  const longMs = 20_000;
  const holding = followReferences({
    nats,
    durable: "holding",
    filter: streams.stored.originFilter,
    holdMs: longMs,
    take: async (found) => taken.push(...found.map(({ reference }) => reference.pos)),
    log: recordingLogger().log,
  });
  t.after(() => holding.close());
  const publish = (pos: number, ts: number) => {
    const reference = { pos, conv: "room/r", seq: pos, from: "ann", type: "text", ts };
    return jetstream(nats).publish(storedSubject(q, "origin"), JSON.stringify({ q, entries: [reference] }));
  };
  const began = performance.now();
  await publish(1, Date.now() - longMs + 200);
  await eventually(() => taken.length === 1);
  assert.ok(performance.now() - began < longMs, "held anew");
});
