// Two routers, and what only happens with more than one: hand-overs, a paused holder, two at once, a Redis in trouble.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Message, messagesTopic } from "@parley/protocol";
import { ingestPartitions } from "@parley/protocol/partition";
import { connectRedis, leaseKey } from "@parley/runtime";
import { type Cluster, eventually, serviceContext, startTestCluster, type TestContext } from "@parley/testkit";
import { connectDevice, connectPairs, type Pair, underLoad } from "./pairs.ts";

const nothingWrong = { refused: 0, lost: 0, doubled: 0, reordered: 0 };

async function start(t: TestContext) {
  const parts = ["mosquitto", "redis-server", "nats-server", "history", "api", "router"] as const;
  const cluster = await startTestCluster(t, { parts, replicas: { router: 2 }, links: true });
  const redis = await connectRedis({ url: cluster.wiring.urls.redis, log: serviceContext("test").log });
  t.after(() => redis.disconnect());
  const holders = async () => redis.mget(ingestPartitions.map((p) => leaseKey("ingest", p)));
  /** Shared evenly by so many routers. */
  const isEven = async (routers: number) => {
    const counts = new Map<string, number>();
    for (const holder of await holders()) if (holder) counts.set(holder, (counts.get(holder) ?? 0) + 1);
    return counts.size === routers && [...counts.values()].every((count) => count === 16 / routers);
  };
  return { cluster, redis, holders, isEven, pairs: await connectPairs(t, cluster) };
}

test("two routers", { timeout: 180_000 }, async (t) => {
  const { cluster, redis, holders, isEven, pairs } = await start(t);

  await t.test(
    "one that stops hands over, and gets half back when it comes: nothing lost, doubled or reordered",
    async () => {
      await eventually(() => isEven(2));
      const outcome = await underLoad(pairs, async () => {
        await cluster.stopPart("router", { index: 0 });
        await eventually(() => isEven(1));
        await cluster.startPart("router", { index: 0 });
        await eventually(() => isEven(2));
      });
      assert.deepEqual(outcome, nothingWrong);
    },
  );

  await t.test(
    "one is paused beyond its leases and wakes up: what came for it meanwhile is the other's alone",
    async () => {
      const data = "has no id, so that history cannot know it again";
      const nameless = ({ receiver }: Pair) =>
        receiver.messages.filter(({ content }) => (content as { data?: string }).data === data);
      const outcome = await underLoad(pairs, async () => {
        await cluster.pause("router", { index: 0 });
        for (const { sender } of pairs)
          await sender.send({ to: `user/r-${sender.uid}`, content: { type: "text", data } });
        await eventually(() => isEven(1));
        await eventually(() => pairs.every((pair) => nameless(pair).length > 0));
        await cluster.resume("router", { index: 0 });
        await eventually(() => isEven(2));
      });
      assert.deepEqual(outcome, nothingWrong);
      for (const pair of pairs) {
        assert.equal(new Set(nameless(pair).map(({ seq }) => seq)).size, 1);
        // Stored once more by the one that woke up it would have a number that nobody saw.
        const seqs = new Set(pair.receiver.messages.map(({ seq }) => seq));
        assert.equal(seqs.size, Math.max(...seqs));
      }
    },
  );

  await t.test("a lease that another has at once is given up by its holder, and the messages go on", async () => {
    const [first] = await holders();
    const other = (await holders()).find((holder) => holder !== first) as string;
    const outcome = await underLoad(pairs, async () => {
      await redis.set(leaseKey("ingest", "0"), other, "PX", 4_000);
      await eventually(async () => (await holders()).filter((holder) => holder === other).length === 8);
    });
    assert.deepEqual(outcome, nothingWrong);
    await eventually(() => isEven(2));
  });

  await t.test(
    "Redis flushed, away and back, and slow for one of them: the messages go on and the partitions stay",
    async () => {
      const before = await holders();
      const outcome = await underLoad(pairs, async () => {
        await cluster.flushRedis();
        await eventually(async () => (await holders()).every((holder) => holder !== null));
        await cluster.pause("redis-server");
        const during = pairs[0]?.sent.length ?? 0;
        await eventually(() => (pairs[0]?.sent.length ?? 0) > during + 30);
        await cluster.resume("redis-server");
        cluster.link("router", "redis", { index: 1 }).delay(300);
        const slow = pairs[0]?.sent.length ?? 0;
        await eventually(() => (pairs[0]?.sent.length ?? 0) > slow + 12);
        cluster.link("router", "redis", { index: 1 }).pass();
      });
      assert.deepEqual(outcome, nothingWrong);
      await eventually(() => isEven(2));
      assert.deepEqual(await holders(), before);
    },
  );

  await t.test("a message sent over HTTP is delivered though the router that took it was killed", async () => {
    const delivered = await sendOverHttp(t, cluster);
    await cluster.kill("router", { index: 1 });
    await eventually(() => delivered().missing === 0);
    await cluster.waitReady("router");
  });

  await t.test("both are not ready while history is away, and ready when it is back", async () => {
    await cluster.stopPart("history");
    for (const { health } of cluster.wiring.replicas.router)
      await eventually(async () => (await reasonsOf(health)).history !== undefined);
    await cluster.startPart("history");
    await cluster.waitReady("router");
  });

  await t.test(
    "one that cannot reach NATS gives its partitions to the other, is not ready, and gets them back",
    async () => {
      const outcome = await underLoad(pairs, async () => {
        cluster.link("router", "nats", { index: 0 }).cut();
        await eventually(() => isEven(1));
        const health = cluster.wiring.replicas.router[0]?.health as number;
        assert.ok((await reasonsOf(health)).nats);
        cluster.link("router", "nats", { index: 0 }).pass();
        await eventually(() => isEven(2));
      });
      assert.deepEqual(outcome, nothingWrong);
      await cluster.waitReady("router");
    },
  );
});

async function reasonsOf(health: number): Promise<Record<string, string>> {
  const answer = await fetch(`http://127.0.0.1:${health}/health/ready`);
  return ((await answer.json()) as { reasons?: Record<string, string> }).reasons ?? {};
}

/** 60 messages, one request after the other; answers which of them are still missing. */
async function sendOverHttp(t: TestContext, cluster: Cluster) {
  const receiver = await connectDevice(t, cluster, "carol:web");
  await connectDevice(t, cluster, "dave:web");
  const call = async (path: string, body: object, token?: string) => {
    const headers = { "content-type": "application/json", ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const answer = await fetch(`${cluster.run().http}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await answer.json()) as { token: string };
  };
  const { token } = await call("/login", { username: "dave", password: "correct horse", device: "http" });
  const got = new Set<string>();
  receiver.client.on("message", (topic, payload) => {
    if (topic === messagesTopic("carol")) got.add((JSON.parse(payload.toString()) as Message).id);
  });
  const count = 60;
  for (let id = 0; id < count; id++)
    await call("/messages", { id: `h${id}`, to: "user/carol", content: { type: "text", data: "x" } }, token);
  return () => ({ missing: count - [...got].filter((id) => id.startsWith("h")).length });
}
