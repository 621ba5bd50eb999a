// A broker whose memory is full keeps its connections and acknowledges nothing: the router's readiness tells it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startBrokerSession, watchCheck } from "@parley/runtime";
import { eventually, serviceContext, startServers, type TestServer } from "@parley/testkit";
import mqtt from "mqtt";
import { createProbe } from "../src/ingest/probe.ts";

const MiB = 1024 * 1024;

test("a router whose broker is full of memory, or hangs, is not ready, and is again when it answers", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: { settings: [`memory_limit ${3 * MiB}`] } });
  const { url, username, password } = mosquitto;
  const { health, log } = serviceContext("router");
  const session = startBrokerSession({
    url,
    clientId: "router-p0",
    username,
    password,
    cleanStart: true,
    sessionExpirySeconds: 3600,
    receiveMaximum: 10,
    keepAliveSeconds: 10,
    subscriptions: [],
    log,
    onPacket: () => undefined,
  });
  t.after(() => session.close({ graceful: false }));
  await session.whenConnected();
  const publishMany = session.publishMany.bind(session);
  const watch = watchCheck(health, "publish", createProbe({ publishMany, holds: () => true }, 500));
  t.after(() => watch.close());
  const isReady = () => Object.keys(health.reasons()).length === 0;
  await eventually(isReady);
  mosquitto.pause();
  await eventually(() => health.reasons().publish === "the broker takes no publish");
  mosquitto.resume();
  await eventually(isReady);
  await eventually(
    async () => {
      await fill(mosquitto);
      return health.reasons().publish !== undefined;
    },
    { timeoutMs: 30_000 },
  );
  assert.ok(!isReady());
});

let filled = 0;

async function fill({ url, username, password }: TestServer): Promise<void> {
  const login = { username, password, clientId: "router-fill", reconnectPeriod: 0, connectTimeout: 1000 };
  const client = await mqtt.connectAsync(url, login, false).catch(() => undefined);
  if (client === undefined) return;
  client.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => client.once("close", resolve));
  const publishes = Array.from({ length: 100 }, () =>
    client.publishAsync(`kept/${filled++}`, Buffer.alloc(32 * 1024), { qos: 1, retain: true }).catch(() => undefined),
  );
  await Promise.race([Promise.all(publishes), closed]);
  client.end(true);
}
