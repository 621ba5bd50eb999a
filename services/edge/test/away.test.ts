// What sessions of devices that are away may hold at the broker, and that the broker is never full of it.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, startServers, type TestServer } from "@parley/testkit";
import mqtt, { type MqttClient } from "mqtt";
import { openSession } from "./raw-client.ts";
import { connectDevice, newClientId, ok, startBoth, startTestEdge, type TestEdge } from "./surroundings.ts";

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

/** The client ids of the sessions that edges have written down at the broker, as they are now, by connection. */
async function recordsOf(service: MqttClient): Promise<Map<string, string>> {
  const written = new Map<string, string>();
  service.on("message", (topic, payload) => {
    const [, kind, , clientId = "", connectionId] = topic.split("/");
    if (kind !== "sessions") return;
    if (payload.length > 0) written.set(`${connectionId}`, decodeURIComponent(clientId));
    else written.delete(`${connectionId}`);
  });
  await service.subscribeAsync("parley/sessions/#", { rap: true, qos: 0 });
  return written;
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
  for (let user = 0; user < 8; user += 1) {
    const clientId = await leaveSession(t, edge, `u${user}`);
    away.push(clientId);
    await fill(service, clientId, 7 * MiB);
    // The edge looks once a second; real senders have a rate, this one waits for what the broker says next.
    heap = Number.POSITIVE_INFINITY;
    await eventually(() => heap < 24 * MiB);
  }
  // On a slow machine one may be told of twice.
  const over = new Set(ended(hooks));
  assert.ok(over.size > 0);
  assert.deepEqual([...over].toSorted(), away.slice(0, over.size).toSorted());
  await service.publishAsync("anything", "still there", { qos: 1 });
  await eventually(() => Object.keys(edge.context.health.reasons()).length === 0);
});

test("an edge that starts learns the sessions of one that was killed, and ends them before the broker's memory is full", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: { settings: [`memory_limit ${64 * MiB}`] } });
  const limit = { EDGE_BROKER_MEMORY_BYTES: String(64 * MiB) };
  const before = await startBoth(t, mosquitto, limit);
  const away = [await leaveSession(t, before.edge, "u0"), await leaveSession(t, before.edge, "u1")];
  // Two are connected when their edge dies.
  for (const username of ["u2", "u3"]) {
    const clientId = newClientId();
    const client = await openSession(t, before.edge.tcp, 4, clientId, { clean: false, username });
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: clientId, qos: 1 }] });
    await client.next();
    away.push(clientId);
  }
  const service = await connectService(t, mosquitto);
  const written = await recordsOf(service);
  await eventually(() => away.every((one) => [...written.values()].includes(one)));
  // Its hooks hear no more of it, as after a kill -9.
  await before.hooks.stop();
  await before.edge.close();
  for (const clientId of away) await fill(service, clientId, 7 * MiB);
  const { hooks, edge } = await startBoth(t, mosquitto, limit);
  await eventually(() => away.every((one) => ended(hooks).includes(one)));
  await eventually(async () => (await edge.metric("edge_broker_heap_bytes")) < 16 * MiB);
  await eventually(() => written.size === 0);
});

test("sessions that an edge of a version before wrote down are learned, written as they are now, and go with them", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const service = await connectService(t, mosquitto);
  const [short, long] = [newClientId(), newClientId()];
  const old = new Set<string>();
  service.on("message", (topic, payload) => {
    if (topic.split("/").length !== 3) return;
    if (payload.length > 0) old.add(topic);
    else old.delete(topic);
  });
  for (const [clientId, sessionExpirySeconds] of [
    [short, 1],
    [long, 3_600],
  ] as const) {
    const record = JSON.stringify({ username: "alice", sessionExpirySeconds, connectionId: `c-${clientId}` });
    await service.publishAsync(`parley/sessions/${clientId}`, record, { qos: 1, retain: true });
  }
  await service.publishAsync("parley/sessions/odd", "no record", { qos: 1, retain: true });
  const written = await recordsOf(service);
  await eventually(() => old.size === 3);
  const { hooks } = await startBoth(t, mosquitto);
  await eventually(() => ended(hooks).includes(short));
  await eventually(() => old.size === 0 && [...written.values()].includes(long) && !written.has(`c-${short}`));
  assert.ok(!ended(hooks).includes(long));
});

test("a session that was written down and is connected elsewhere is left alone", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  const first = await startBoth(t, mosquitto);
  const clientId = newClientId();
  const device = await openSession(t, first.edge.tcp, 4, clientId, { clean: false });
  const service = await connectService(t, mosquitto);
  const written = await recordsOf(service);
  await eventually(() => [...written.values()].includes(clientId));
  const second = await startBoth(t, mosquitto, { EDGE_BROKER_MEMORY_BYTES: String(MiB) });
  const own = [...written.keys()];
  second.hooks.answer((hook, { client_id }, connection) =>
    hook === "is_connected" && client_id === clientId && !own.includes(connection!)
      ? { body: { result: { error: "connected" } } }
      : ok,
  );
  await service.publishAsync("kept", Buffer.alloc(MiB), { qos: 1, retain: true });
  await eventually(() => second.hooks.of("is_connected").some(({ client_id: asked }) => asked === clientId));
  // Sessions end longest away first: when a later one has ended, this one would have as well.
  const later = await leaveSession(t, second.edge, "bob");
  await eventually(() => ended(second.hooks).includes(later));
  device.send({ cmd: "pingreq" });
  assert.equal((await device.next()).cmd, "pingresp");
  assert.deepEqual(ended(second.hooks), [later]);
  assert.ok([...written.values()].includes(clientId));
});

for (const version of [4, 5] as const)
  test(`what one edge wrote down of a device goes when it has a session at another, which keeps its own record, MQTT ${version}`, async (t) => {
    const { mosquitto } = await startServers(t, { mosquitto: true });
    const { hooks, edge: one } = await startBoth(t, mosquitto, { EDGE_SESSION_EXPIRY_SECONDS: "1" });
    const other = await startTestEdge(t, mosquitto, hooks);
    const service = await connectService(t, mosquitto);
    const written = await recordsOf(service);
    const kept = version === 4 ? { clean: false } : { properties: { sessionExpiryInterval: 60 } };
    const [brief, long] = [newClientId(), newClientId()];
    for (const clientId of [brief, long]) await openSession(t, one.tcp, version, clientId, kept);
    await eventually(() => written.size === 2);
    const before = [...written.keys()];
    hooks.answer((hook, _, connection) =>
      hook === "is_connected" && before.includes(connection!) ? { body: { result: { error: "connected" } } } : ok,
    );
    const devices = [
      await openSession(t, other.tcp, version, brief),
      await openSession(t, other.tcp, version, long, kept),
    ];
    await eventually(() => written.size === 1 && !before.some((connection) => written.has(connection)));
    assert.deepEqual([...written.values()], [long]);
    for (const device of devices) {
      device.send({ cmd: "pingreq" });
      assert.equal((await device.next()).cmd, "pingresp");
    }
  });

test("devices that confirm nothing are closed, those that hold most first, before the broker's memory is full; others go on", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: { settings: [`memory_limit ${64 * MiB}`] } });
  const { edge } = await startBoth(t, mosquitto, { EDGE_BROKER_MEMORY_BYTES: String(64 * MiB) });
  const honest = await connectDevice(t, edge, { username: "honest" });
  await honest.subscribeAsync("honest", { qos: 1 });
  const service = await connectService(t, mosquitto);
  let [most, told] = [0, 0];
  service.on("message", (topic, payload) => {
    if (topic.startsWith("$SYS/broker/heap")) most = Math.max(most, Number(payload.toString()));
    if (topic === "$SYS/broker/uptime") told += 1;
  });
  await service.subscribeAsync(["$SYS/broker/heap/current", "$SYS/broker/uptime"]);
  const closed: string[] = [];
  for (let user = 0; user < 8; user += 1) {
    const clientId = newClientId();
    const silent = await openSession(t, edge.tcp, 4, clientId, { clean: user % 2 === 0, username: `silent${user}` });
    silent.socket.once("close", () => closed.push(clientId));
    silent.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: clientId, qos: 1 }] });
    await silent.next();
    await fill(service, clientId, 11 * MiB);
    await honest.publishAsync("honest", String(user), { qos: 1 });
    // What the edge knows now may be from before all that.
    const toldBefore = told;
    await eventually(() => told >= toldBefore + 2);
    await eventually(async () => (await edge.metric("edge_broker_heap_bytes")) < 40 * MiB);
  }
  assert.ok(closed.length >= 3, String(closed.length));
  assert.ok(most < 60 * MiB, String(most));
  await eventually(() => honest.received.length === 8);
  assert.ok(honest.connected);
});

test("devices of one user that confirm nothing hold a thirty-second of the broker's memory, and others' stay", async (t) => {
  const { mosquitto } = await startServers(t, { mosquitto: true });
  // 4 MiB a user
  const { edge } = await startBoth(t, mosquitto, { EDGE_BROKER_MEMORY_BYTES: String(128 * MiB) });
  const service = await connectService(t, mosquitto);
  const open = async (username: string, bytes: number) => {
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, 4, clientId, { clean: true, username });
    client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: clientId, qos: 1 }] });
    await client.next();
    await fill(service, clientId, bytes);
    return client;
  };
  const [small, large, other] = [await open("a", MiB), await open("a", 3.5 * MiB), await open("b", 3.5 * MiB)];
  await large.closed();
  for (const client of [small, other]) assert.equal(client.socket.destroyed, false);
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
  await eventually(() => "broker" in health.reasons());
  mosquitto.resume();
  await eventually(() => Object.keys(health.reasons()).length === 0);
});
