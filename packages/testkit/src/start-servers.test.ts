import assert from "node:assert/strict";
import { test } from "node:test";
import { connectAsync } from "mqtt";
import { eventually } from "./eventually.ts";
import { servers } from "./servers.ts";
import { startServers } from "./start-servers.ts";

test("real servers answer when startServers resolves, and again on the same port after kill -9 and start", async (t) => {
  const { mosquitto, redis, nats } = await startServers(t, { mosquitto: true, redis: true, nats: true });
  assert.equal(await servers["redis-server"].ready(redis.port), true);
  assert.equal(await servers["nats-server"].ready(nats.port), true);
  const before = redis.pid();
  await redis.kill();
  assert.equal(await servers["redis-server"].ready(redis.port), false);
  await redis.start();
  assert.notEqual(redis.pid(), before);
  assert.equal(await servers["redis-server"].ready(redis.port), true);

  const { username, password } = mosquitto;
  const client = await connectAsync(mosquitto.url, { username, password, clientId: "a" });
  t.after(() => client.endAsync(true));
  assert.equal(client.connected, true);
});

test("mosquitto's own port refuses who lacks the services' password", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  await assert.rejects(connectAsync(mosquitto.url, { clientId: "a", reconnectPeriod: 0 }, false), /Not authorized/);
});

test("a paused server answers nothing until it is resumed", async (t) => {
  const { redis } = await startServers(t, { redis: true });
  redis.pause();
  assert.equal(await servers["redis-server"].ready(redis.port), false);
  redis.resume();
  await eventually(() => servers["redis-server"].ready(redis.port));
});
