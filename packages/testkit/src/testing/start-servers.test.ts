import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { connectAsync } from "mqtt";
import { connect } from "nats";
import { servers } from "../parts/servers.ts";
import { eventually } from "../processes/eventually.ts";
import { startServers } from "./start-servers.ts";

test("real servers answer when startServers resolves, and again on the same port after kill -9 and start", async (t) => {
  const { mosquitto, redis, nats } = await startServers(t, { mosquitto: true, redis: true, nats: true });
  assert.equal(await servers["redis-server"].ready(redis), true);
  assert.equal(await servers["nats-server"].ready(nats), true);
  const before = redis.pid();
  await redis.kill();
  assert.equal(await servers["redis-server"].ready(redis), false);
  await redis.start();
  assert.notEqual(redis.pid(), before);
  assert.equal(await servers["redis-server"].ready(redis), true);

  const { username, password } = mosquitto;
  const client = await connectAsync(mosquitto.url, { username, password, clientId: "a" });
  t.after(() => client.endAsync(true));
  assert.equal(client.connected, true);
});

test("redis and nats refuse who does not know their password", async (t) => {
  const { redis, nats } = await startServers(t, { redis: true, nats: true });
  const stranger = new Redis({ port: redis.port, host: "127.0.0.1", lazyConnect: true, retryStrategy: null });
  t.after(() => stranger.disconnect());
  stranger.on("error", () => {});
  await assert.rejects(stranger.get("anything"), /NOAUTH/);
  for (const login of [{}, { user: "parley", pass: "guessed" }]) {
    const connecting = connect({ servers: `127.0.0.1:${nats.port}`, reconnect: false, ...login });
    await assert.rejects(connecting, /Authorization Violation/i);
  }
});

test("mosquitto's own port refuses who lacks the services' password", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  await assert.rejects(connectAsync(mosquitto.url, { clientId: "a", reconnectPeriod: 0 }, false), /Not authorized/);
});

test("a paused server answers nothing until it is resumed", async (t) => {
  const { redis } = await startServers(t, { redis: true });
  redis.pause();
  assert.equal(await servers["redis-server"].ready(redis), false);
  redis.resume();
  await eventually(() => servers["redis-server"].ready(redis));
});
