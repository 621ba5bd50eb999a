// Acks and nacks of a device that goes away: its persistent session has them when it is back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceTopic, messagesTopic, uplinkTopic } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { eventually, startTestCluster } from "@parley/testkit";
import { connect, connectAsync } from "mqtt";
import { connectDevice, text } from "./pairs.ts";

const parts = ["mosquitto", "redis-server", "nats-server", "history", "api", "router"] as const;

test("what a device is told while it is away waits in its persistent session: acks and nacks alike", async (t) => {
  const cluster = await startTestCluster(t, { parts });
  await connectDevice(t, cluster, "bob:a");
  const clientId = "alice:phone";
  const own = deviceTopic("alice", clientId);
  const login = { username: "parley", password: cluster.servicesSecret, clean: false };
  const phone = await connectAsync(cluster.wiring.urls.broker, { ...login, clientId });
  await phone.subscribeAsync(own, { qos: 1 });
  await phone.endAsync(true);
  // As if it had left right after its publishes: another connection sends in its name.
  const sender = await connectAsync(cluster.wiring.urls.broker, { ...login, clientId: "sender", clean: true });
  t.after(() => sender.endAsync(true));
  const topic = uplinkTopic({ p: ingestPartition(clientId), uid: "alice", clientId, verb: "msg" });
  const ids = Array.from({ length: 50 }, (_, index) => `m${index}`);
  for (const id of ids) await sender.publishAsync(topic, JSON.stringify(text(id, "user/bob")), { qos: 1 });
  await sender.publishAsync(topic, JSON.stringify({ ...text("bad", "user/bob"), content: 1 }), { qos: 1 });
  const seen = new Set<string>();
  const watcher = await connectAsync(cluster.wiring.urls.broker, { ...login, clientId: "watcher", clean: true });
  t.after(() => watcher.endAsync(true));
  watcher.on("message", (_topic, payload) => void seen.add(JSON.parse(payload.toString()).id));
  await watcher.subscribeAsync(messagesTopic("bob"), { qos: 1 });
  await sender.publishAsync(topic, JSON.stringify(text("last", "user/bob")), { qos: 1 });
  await eventually(() => seen.has("last"));
  const told = new Map<string, string>();
  const back = connect(cluster.wiring.urls.broker, { ...login, clientId });
  t.after(() => back.endAsync(true));
  back.on("message", (_topic, payload) => {
    const { type, id } = JSON.parse(payload.toString());
    told.set(id, type);
  });
  await eventually(() => told.size === ids.length + 2);
  assert.ok(ids.every((id) => told.get(id) === "ack"));
  assert.equal(told.get("bad"), "nack");
});
