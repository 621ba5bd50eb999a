// What sessions of devices that are away may hold at the broker, and that the broker is never full of it.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, startServers, type TestServer } from "@parley/testkit";
import mqtt, { type MqttClient } from "mqtt";
import { openSession } from "./raw-client.ts";
import { newClientId, startBoth, type TestEdge } from "./surroundings.ts";

const MiB = 1024 * 1024;

const ended = (hooks: { of(hook: string): { client_id?: string }[] }) =>
  hooks.of("on_session_expired").map(({ client_id: clientId }) => clientId);

async function connectService(t: TestContext, { url, username, password }: TestServer): Promise<MqttClient> {
  const client = await mqtt.connectAsync(
    url,
    { username, password, clientId: "router-test", protocolVersion: 5 },
    false,
  );
  t.after(() => client.end(true));
  return client;
}

/** A device that subscribed a topic of its own at QoS 1, and left without ending its session. */
async function leaveSession(t: TestContext, edge: TestEdge, username: string): Promise<string> {
  const clientId = newClientId();
  const client = await openSession(t, edge.tcp, 4, clientId, { clean: false, username });
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: clientId, qos: 1 }] });
  await client.next();
  client.send({ cmd: "disconnect" });
  return clientId;
}

async function fill(service: MqttClient, topic: string, bytes: number): Promise<void> {
  const payload = Buffer.alloc(60_000, "x");
  for (let sent = 0; sent < bytes; sent += payload.length * 8)
    await Promise.all(Array.from({ length: 8 }, () => service.publishAsync(topic, payload, { qos: 1 })));
}

test("a session whose device is away holds so many bytes and no more", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { edge } = await startBoth(t, mosquitto);
  const clientId = await leaveSession(t, edge, "alice");
  const service = await connectService(t, mosquitto);
  await fill(service, clientId, 40 * MiB);
  await eventually(async () => (await edge.metric("edge_broker_heap_bytes")) > 8 * MiB);
  assert.ok((await edge.metric("edge_broker_heap_bytes")) < 16 * MiB);
});

test("sessions of devices that are away end, longest away first, before the broker's memory is full; services go on", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: { settings: [`memory_limit ${64 * MiB}`] } });
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_BROKER_MEMORY_BYTES: String(64 * MiB) });
  const service = await connectService(t, mosquitto);
  let heap = Number.POSITIVE_INFINITY;
  service.on("message", (_, payload) => {
    heap = Number(payload.toString());
  });
  await service.subscribeAsync("$SYS/broker/heap/current");
  const away: string[] = [];
  for (let user = 0; user < 12; user += 1) {
    const clientId = await leaveSession(t, edge, `u${user}`);
    away.push(clientId);
    await fill(service, clientId, 7 * MiB);
    // The edge looks once a second; real senders have a rate, this one waits for what the broker says next.
    heap = Number.POSITIVE_INFINITY;
    await eventually(() => heap < 24 * MiB);
  }
  assert.ok(ended(hooks).length > 0);
  assert.deepEqual(ended(hooks).toSorted(), away.filter((one) => ended(hooks).includes(one)).toSorted());
  assert.ok(ended(hooks).includes(away[0]));
  await service.publishAsync("anything", "still there", { qos: 1 });
  await eventually(() => Object.keys(edge.context.health.reasons()).length === 0);
});

test("of too many sessions of one user whose devices are away the longest away ends", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_USER_SESSIONS_AWAY: "2" });
  const first = await leaveSession(t, edge, "alice");
  await eventually(() => hooks.of("on_client_offline").length === 1);
  await leaveSession(t, edge, "bob");
  await leaveSession(t, edge, "alice");
  await eventually(() => hooks.of("on_client_offline").length === 3);
  assert.deepEqual(ended(hooks), []);
  await leaveSession(t, edge, "alice");
  await eventually(() => ended(hooks).length === 1);
  assert.deepEqual(ended(hooks), [first]);
});

test("an edge whose broker is almost full of memory, or takes no publish, is not ready, and is again afterwards", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const { edge } = await startBoth(t, mosquitto, { EDGE_BROKER_MEMORY_BYTES: String(2 * MiB) });
  const { health } = edge.context;
  await eventually(() => Object.keys(health.reasons()).length === 0);
  const service = await connectService(t, mosquitto);
  await service.publishAsync("kept", Buffer.alloc(3 * MiB), { qos: 1, retain: true });
  await eventually(() => "broker memory" in health.reasons());
  await service.publishAsync("kept", "", { qos: 1, retain: true });
  await eventually(() => Object.keys(health.reasons()).length === 0);
  mosquitto.pause();
  await eventually(() => "broker" in health.reasons(), { timeoutMs: 20_000 });
  mosquitto.resume();
  await eventually(() => Object.keys(health.reasons()).length === 0);
});
