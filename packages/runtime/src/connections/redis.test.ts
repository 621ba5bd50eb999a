import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { createHealth } from "../process/health.ts";
import { connectRedis } from "./redis.ts";

async function redisOf(t: TestContext, url: string) {
  const recorder = recordingLogger();
  const health = createHealth();
  const redis = await connectRedis({ url, log: recorder.log, health });
  t.after(() => redis.disconnect());
  return { redis, health, ...recorder };
}

test("a service started before Redis waits for it, says for what and why, and goes on when it is there", async (t) => {
  const { redis: server } = await startServers(t, { redis: true });
  await server.kill();
  const { log, lines } = recordingLogger();
  const connecting = connectRedis({ url: server.url, log });
  const waiting = await eventually(() => lines.find(({ event }) => event === "waiting"));
  assert.match(String(waiting.reason), /ECONNREFUSED/);
  assert.ok(!JSON.stringify(lines).includes(server.password));
  await server.start();
  const redis = await connecting;
  redis.disconnect();
});

test("while Redis is away commands fail at once, none is kept for later, and after its return they work again", async (t) => {
  const { redis: server } = await startServers(t, { redis: true });
  const { redis, health, events } = await redisOf(t, server.url);
  await server.kill();
  await eventually(() => Object.keys(health.reasons()).length === 1);
  await assert.rejects(redis.set("kept", "1"), /enableOfflineQueue/);
  await server.start();
  await eventually(() => redis.get("kept").then((value) => value === null));
  assert.deepEqual(health.reasons(), {});
  assert.ok(events().includes("redis_lost"));
});

test("a command in hand when the connection breaks fails, and is not sent again", async (t) => {
  const { redis: server } = await startServers(t, { redis: true });
  const { redis } = await redisOf(t, server.url);
  server.pause();
  const inHand = assert.rejects(redis.incr("once"));
  redis.stream.destroy();
  await inHand;
  server.resume();
  await eventually(() => redis.incr("twice"));
  assert.ok(Number(await redis.get("once")) <= 1);
});

test("a Redis that hangs costs a command one second", async (t) => {
  const { redis: server } = await startServers(t, { redis: true });
  const { redis } = await redisOf(t, server.url);
  server.pause();
  t.after(() => server.resume());
  await assert.rejects(redis.get("x"), /timed out/);
});

test("a Redis that hangs is left, nothing gathers for it, and when it goes on it is used again", async (t) => {
  const { redis: server } = await startServers(t, { redis: true });
  const { redis, health } = await redisOf(t, server.url);
  server.pause();
  t.after(() => server.resume());
  await eventually(() => "redis" in health.reasons());
  await assert.rejects(redis.get("x"), /writ(e|ab)/i);
  server.resume();
  await eventually(() => Object.keys(health.reasons()).length === 0);
  await redis.set("x", "1");
});
