import assert from "node:assert/strict";
import { suite, type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { eventually, startServers, type TestServer } from "@parley/testkit";
import { Redis } from "ioredis";
import { startHolder } from "../../test/lease-holder-process.ts";
import { recordingLogger } from "../../test/recorder.ts";
import { connectRedis } from "../connections/redis.ts";
import { leaseKey, noticeChannel, replicasKey } from "./keys.ts";
import { type LeaseOptions, type Leases, startLeases } from "./leases.ts";
import type { LeaseNotice } from "./notices.ts";

const keysOf = (count: number) => Array.from({ length: count }, (_, index) => `${index}`);

interface Replica {
  instance: string;
  leases: Leases;
  redis: Redis;
  released: string[];
  events(): (string | undefined)[];
  /** Every key that was held here at some time. */
  everHeld: Set<string>;
}

async function startReplica(
  t: TestContext,
  server: TestServer,
  instance: string,
  count: number,
  overrides: Partial<LeaseOptions> = {},
  { deaf = false } = {},
): Promise<Replica> {
  const { log, events } = recordingLogger();
  const redis = await connectRedis({ url: server.url, log });
  // Nobody hears it, and it hears nobody: its subscriber is on a Redis that is not there.
  if (deaf) Object.assign(redis, { duplicate: () => new Redis(1, { lazyConnect: true }) });
  const released: string[] = [];
  const everHeld = new Set<string>();
  const leases = startLeases({
    redis,
    kind: "conversation",
    keys: keysOf(count),
    instance,
    log,
    alive: () => true,
    acquire: async (key) => void everHeld.add(key),
    release: async (key, reason) => void released.push(`${key} ${reason}`),
    ...overrides,
  });
  t.after(async () => {
    await leases.close();
    redis.disconnect();
  });
  return { instance, leases, redis, released, events, everHeld };
}

/** How many keys nobody's work is on, seen by the notices of those who begin and end it. */
async function watchAway(t: TestContext, server: TestServer) {
  const redis = await connectRedis({ url: server.url, log: recordingLogger().log });
  t.after(() => redis.disconnect());
  const away = new Set<string>();
  let watching = false;
  let most = 0;
  let moves = 0;
  redis.on("message", (_channel, text) => {
    const { held = [], freed = [] } = JSON.parse(text) as LeaseNotice;
    for (const key of freed) away.add(key);
    for (const key of held) if (away.delete(key)) moves += 1;
    if (watching) most = Math.max(most, away.size);
  });
  await redis.subscribe(noticeChannel("conversation"));
  return {
    begin() {
      watching = true;
    },
    most: () => most,
    count: () => moves,
  };
}

/** Each key held by exactly one replica, each replica with at most its share, Redis of the same opinion. */
async function evenlyHeld(replicas: Replica[], count: number): Promise<boolean> {
  const share = Math.ceil(count / replicas.length);
  const owners = await replicas[0]!.redis.mget(keysOf(count).map((key) => leaseKey("conversation", key)));
  if (replicas.some(({ leases }) => leases.held().size > share)) return false;
  return keysOf(count).every((key, index) => {
    const holders = replicas.filter(({ leases }) => leases.held().has(key));
    return holders.length === 1 && holders[0]!.instance === owners[index];
  });
}

function isSure({ leases }: { leases: Leases }, key: string): boolean {
  return leases.sureUntil(key) > performance.now();
}

// Each has a Redis of its own and mostly waits for leases to expire.
suite("leases", { concurrency: 8 }, () => {
  test("a replica alone takes all 256 keys in its first turn", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const startedAt = performance.now();
    const only = await startReplica(t, server, "a", 256);
    await eventually(() => only.leases.held().size === 256);
    t.diagnostic(`256 keys after ${Math.round(performance.now() - startedAt)} ms`);
    assert.ok(isSure(only, "0") && isSure(only, "255"));
    assert.equal(isSure(only, "256"), false);
  });

  test("keys spread evenly over one, two, three replicas and back, and only the surplus moves, a few at a time", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const watch = await watchAway(t, server);
    const a = await startReplica(t, server, "a", 256);
    await eventually(() => evenlyHeld([a], 256));
    watch.begin();
    const b = await startReplica(t, server, "b", 256);
    await eventually(() => evenlyHeld([a, b], 256));
    assert.equal(a.released.length, 128, "only the surplus moved");
    assert.ok(a.released.every((line) => line.endsWith("surplus")));
    const c = await startReplica(t, server, "c", 256);
    await eventually(() => evenlyHeld([a, b, c], 256));
    assert.ok(a.released.length + b.released.length <= 128 + 86, "only the surplus moved");
    for (const { released } of [a, c]) released.length = 0;
    await b.leases.close();
    await eventually(() => evenlyHeld([a, c], 256));
    assert.deepEqual([...a.released, ...c.released], [], "nobody took more than its share");
    assert.ok(b.released.some((line) => line.endsWith("shutdown")));
    await a.leases.close();
    await eventually(() => evenlyHeld([c], 256));
    t.diagnostic(`${watch.count()} moves, away at once at most ${watch.most()}`);
    assert.ok(watch.most() <= 3 * 8, "of each of three replicas at most 8 are away");
  });

  test("without notices keys move by turns alone", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const deaf = (instance: string) => startReplica(t, server, instance, 64, {}, { deaf: true });
    const a = await deaf("a");
    const b = await deaf("b");
    await eventually(() => evenlyHeld([a, b], 64));
    await a.leases.close();
    await eventually(() => evenlyHeld([b], 64));
  });

  test("a replica that came and was killed before it took anything leaves the others at work", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const a = await startReplica(t, server, "a", 256);
    await eventually(() => evenlyHeld([a], 256));
    const watch = await watchAway(t, server);
    watch.begin();
    await a.redis.zadd(replicasKey("conversation"), Date.now() + 4_000, "z");
    await eventually(() => a.released.length > 0);
    await eventually(async () => (await a.redis.zcard(replicasKey("conversation"))) === 1);
    await eventually(() => evenlyHeld([a], 256));
    assert.ok(a.released.length <= 40, `${a.released.length} of 256 were given up`);
  });

  test("where nobody else can live, a start takes all leases at once, and later ones are shared as ever", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const dead = await startHolder(t, server.url, "dead", 256);
    await eventually(() => dead.held.size === 256);
    dead.kill("SIGKILL");
    // None of its leases ends by itself while the test runs.
    const redis = await connectRedis({ url: server.url, log: recordingLogger().log });
    t.after(() => redis.disconnect());
    await Promise.all(keysOf(256).map((key) => redis.pexpire(leaseKey("conversation", key), 600_000)));
    const heir = await startReplica(t, server, "heir", 256, { seize: true });
    await eventually(() => heir.leases.held().size === 256);
    const next = await startReplica(t, server, "next", 256);
    await eventually(() => evenlyHeld([heir, next], 256));
    assert.ok(heir.released.every((line) => line.endsWith("surplus")));
  });

  test("more replicas than keys: each key has one holder", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const replicas = await Promise.all(["a", "b", "c"].map((instance) => startReplica(t, server, instance, 2)));
    await eventually(() => evenlyHeld(replicas, 2));
  });

  test("whoever comes takes no key that need not move, whatever its name", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const seven = { kind: "conversation", keys: keysOf(7) } as const;
    const two = { kind: "ingest", keys: keysOf(2) } as const;
    for (const [shared, moves] of [
      [seven, 2],
      [two, 0],
    ] as const) {
      const count = shared.keys.length;
      const [m, n] = [
        await startReplica(t, server, "m", count, shared),
        await startReplica(t, server, "n", count, shared),
      ];
      const sizes = () => [m, n].map(({ leases }) => leases.held().size).toSorted();
      await eventually(() => isDeepStrictEqual(sizes(), [Math.floor(count / 2), Math.ceil(count / 2)]));
      for (const { released } of [m, n]) released.length = 0;
      const a = await startReplica(t, server, "a", count, shared);
      const turnAt = (replica: Replica) =>
        replica.redis.zscore(replicasKey(shared.kind), replica.instance).then(Number);
      await eventually(() => a.leases.ready() === true && a.leases.held().size === moves);
      for (const replica of [m, n, a]) {
        const seenAt = await turnAt(replica);
        await eventually(async () => (await turnAt(replica)) > seenAt + 1_100);
      }
      assert.equal(m.released.length + n.released.length, moves);
      assert.equal(a.leases.held().size, moves);
    }
  });

  test("keys of a replica killed with kill -9 are free when they have expired, and not before", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const victim = await startHolder(t, server.url, "victim", 16);
    await eventually(() => victim.held.size === 16);
    const heir = await startReplica(t, server, "heir", 16);
    await eventually(() => heir.leases.held().size === 8);
    victim.kill("SIGKILL");
    const killedAt = performance.now();
    await eventually(() => heir.leases.held().size === 16);
    t.diagnostic(`taken over ${Math.round(performance.now() - killedAt)} ms after kill -9`);
  });

  test("a replica paused beyond its leases knows at once that they are not fresh, and gives up what another holds", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const paused = await startHolder(t, server.url, "paused", 4);
    await eventually(() => paused.held.size === 4);
    assert.equal(await paused.isFirstFresh(), true);
    paused.kill("SIGSTOP");
    const heir = await startReplica(t, server, "heir", 4);
    await eventually(() => heir.leases.held().size === 4);
    // Asked while it is stopped: this is the first thing it does when it goes on.
    const fresh = paused.isFirstFresh();
    paused.kill("SIGCONT");
    assert.equal(await fresh, false);
    await eventually(() => paused.held.size <= 2);
    await eventually(() => heir.leases.held().size === 2 && paused.held.size === 2);
    assert.ok(paused.lines.some((line) => line.reason === "lost"));
  });

  test("after FLUSHALL every holder keeps its keys and nobody takes another's", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const replicas = await Promise.all(["a", "b", "c"].map((instance) => startReplica(t, server, instance, 64)));
    await eventually(() => evenlyHeld(replicas, 64));
    const heldBefore = replicas.map(({ leases }) => [...leases.held()].sort());
    for (const replica of replicas) {
      replica.released.length = 0;
      replica.everHeld.clear();
    }
    for (let round = 0; round < 5; round++) {
      await replicas[0]!.redis.flushall();
      await eventually(() => evenlyHeld(replicas, 64));
    }
    for (const [index, { leases, released, everHeld }] of replicas.entries()) {
      assert.deepEqual([...leases.held()].sort(), heldBefore[index]);
      assert.deepEqual(released, []);
      assert.equal(everHeld.size, 0, "nothing was taken");
    }
  });

  test("a restart of Redis with loss of all data moves no key", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const replicas = await Promise.all(["a", "b"].map((instance) => startReplica(t, server, instance, 16)));
    await eventually(() => evenlyHeld(replicas, 16));
    for (const { released } of replicas) released.length = 0;
    await server.kill();
    for (const { events } of replicas) await eventually(() => events().includes("leases_unreachable"));
    assert.equal(
      replicas.reduce((sum, { leases }) => sum + leases.held().size, 0),
      16,
      "the holders go on",
    );
    await server.start();
    await eventually(() => replicas[0]!.redis.flushall());
    for (const { events } of replicas) await eventually(() => events().includes("leases_reachable"));
    await eventually(() => evenlyHeld(replicas, 16));
    assert.deepEqual(
      replicas.flatMap(({ released }) => released),
      [],
    );
  });

  test("while Redis hangs the holders go on, and afterwards each key has one holder", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const replicas = await Promise.all(["a", "b"].map((instance) => startReplica(t, server, instance, 16)));
    await eventually(() => evenlyHeld(replicas, 16));
    server.pause();
    for (const { events } of replicas) await eventually(() => events().includes("leases_unreachable"));
    await eventually(() => replicas.every((replica) => keysOf(16).every((key) => !isSure(replica, key))));
    assert.equal(
      replicas.reduce((sum, { leases }) => sum + leases.held().size, 0),
      16,
    );
    server.resume();
    for (const { events } of replicas) await eventually(() => events().includes("leases_reachable"));
    await eventually(() => evenlyHeld(replicas, 16));
    await eventually(() =>
      replicas.every((replica) => [...replica.leases.held()].every((key) => isSure(replica, key))),
    );
  });

  test("a holder that sees another's value steps down, and leaves that value alone", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const a = await startReplica(t, server, "a", 4);
    await eventually(() => a.leases.held().size === 4);
    await a.redis.set(leaseKey("conversation", "2"), "thief", "PX", 60_000);
    await eventually(() => a.released.includes("2 lost"));
    assert.deepEqual([...a.leases.held()].sort(), ["0", "1", "3"]);
    assert.equal(await a.redis.get(leaseKey("conversation", "2")), "thief");
  });

  test("a close just after another has taken a key leaves that key to the other", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const a = await startReplica(t, server, "a", 2);
    await eventually(() => a.leases.held().size === 2);
    await a.redis.set(leaseKey("conversation", "0"), "thief", "PX", 60_000);
    await a.leases.close();
    const values = await a.redis.mget(leaseKey("conversation", "0"), leaseKey("conversation", "1"));
    assert.deepEqual(values, ["thief", null]);
  });

  test("after FLUSHALL a holder that is a turn late still finds its keys free", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const late = await startHolder(t, server.url, "late", 8);
    await eventually(() => late.held.size === 8);
    const early = await startReplica(t, server, "early", 8);
    await eventually(() => late.held.size === 4 && early.leases.held().size === 4);
    late.kill("SIGSTOP");
    await early.redis.flushall();
    const seenAt = () => early.redis.zscore(replicasKey("conversation"), "early").then(Number);
    const first = await eventually(async () => (await seenAt()) || undefined);
    await eventually(async () => (await seenAt()) > first + 600);
    late.kill("SIGCONT");
    await eventually(async () => (await early.redis.zcard(replicasKey("conversation"))) === 2);
    assert.equal(early.leases.held().size, 4);
    assert.equal(late.held.size, 4);
  });

  test("a replica that cannot work lets its keys expire, and they go to one that can", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    let alive = true;
    const sick = await startReplica(t, server, "sick", 8, { alive: () => alive });
    await eventually(() => sick.leases.held().size === 8);
    const well = await startReplica(t, server, "well", 8);
    await eventually(() => evenlyHeld([sick, well], 8));
    alive = false;
    await eventually(() => evenlyHeld([well], 8));
    await eventually(() => sick.leases.held().size === 0);
    assert.equal(sick.released.filter((line) => line.endsWith("lost")).length, 4);
    alive = true;
    await eventually(() => evenlyHeld([sick, well], 8));
  });

  test("an outage of what all replicas need, longer than their leases, moves no key", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const alive = { a: true, b: true };
    const a = await startReplica(t, server, "a", 8, { alive: () => alive.a });
    const b = await startReplica(t, server, "b", 8, { alive: () => alive.b });
    await eventually(() => evenlyHeld([a, b], 8));
    for (const { released } of [a, b]) released.length = 0;
    alive.a = false;
    alive.b = false;
    await eventually(async () => (await a.redis.keys("lease:*")).length === 0);
    // One recovers a turn before the other.
    alive.a = true;
    await eventually(async () => (await a.redis.keys("lease:*")).length === 4);
    alive.b = true;
    await eventually(() => evenlyHeld([a, b], 8));
    assert.deepEqual([...a.released, ...b.released], []);
  });

  test("alone, a replica that could not work for longer than its leases still has them when it can again", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    let alive = true;
    const only = await startReplica(t, server, "only", 4, { alive: () => alive });
    await eventually(() => only.leases.held().size === 4);
    alive = false;
    await eventually(async () => (await only.redis.exists(leaseKey("conversation", "0"))) === 0);
    assert.equal(only.leases.held().size, 4);
    assert.equal(isSure(only, "0"), false);
    alive = true;
    await eventually(() => isSure(only, "0"));
    assert.deepEqual(only.released, []);
  });

  test("close hands each key over when its work has ended, and keeps renewing the others", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    let finishSlow = () => {};
    const slow = new Promise<void>((resolve) => {
      finishSlow = resolve;
    });
    const a = await startReplica(t, server, "a", 2, { release: (key) => (key === "0" ? slow : Promise.resolve()) });
    await eventually(() => a.leases.held().size === 2);
    const closing = a.leases.close();
    const b = await startReplica(t, server, "b", 2);
    await eventually(() => b.leases.held().has("1"));
    // Longer than a lease: key 0 would have expired if it were not renewed while it is drained.
    const expiresAt = performance.now() + 6000;
    await eventually(() => performance.now() > expiresAt);
    assert.equal(await b.redis.get(leaseKey("conversation", "0")), "a");
    assert.equal(b.leases.held().has("0"), false);
    finishSlow();
    await closing;
    await eventually(() => b.leases.held().has("0"));
  });

  test("close ends while Redis is away", async (t) => {
    const { redis: server } = await startServers(t, { redis: true });
    const a = await startReplica(t, server, "a", 4);
    await eventually(() => a.leases.held().size === 4);
    await server.kill();
    await a.leases.close();
    assert.equal(a.released.length, 4);
  });
});
