// What the hooks hear of sessions, how long those live, and what the admin port shows and ends.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import mqtt from "mqtt";
import type { IConnectPacket } from "mqtt-packet";
import { openSession, type RawClient } from "./raw-client.ts";
import { connectDevice, type HookServer, newClientId, ok, startBoth, type TestEdge } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
const versions = [4, 5] as const;

// Of devices that came to this edge: it also ends sessions that the edges of other tests left at the broker.
function events({ asked }: HookServer): string[] {
  const here = new Set(asked.filter(({ hook }) => hook === "on_client_wakeup").map(({ body }) => body.client_id));
  const told = asked.filter(({ hook, body }) => hook.startsWith("on_") && here.has(body.client_id));
  return told.map(({ hook, body }) => `${hook} ${body.client_id}`);
}

function admin(edge: TestEdge, method: string, path: string, secret = mosquitto.password): Promise<Response> {
  return fetch(`${edge.admin}${path}`, { method, headers: { authorization: `Bearer ${secret}` } });
}

async function clientsOf(edge: TestEdge) {
  const { clients } = (await (await admin(edge, "GET", "/clients")).json()) as { clients: Record<string, unknown>[] };
  return clients;
}

/** CONNECT that keeps its session, in either version's words. */
function keeping(version: 4 | 5, seconds: number): Partial<IConnectPacket> {
  return version === 4 ? { clean: false } : { clean: true, properties: { sessionExpiryInterval: seconds } };
}

/** Whether the broker still has the session: a connect that resumes it says so. */
async function isKept(edge: TestEdge, clientId: string): Promise<boolean> {
  const client = mqtt.connect(`mqtt://127.0.0.1:${edge.tcp}`, {
    protocolVersion: 4,
    clientId,
    username: "alice",
    clean: false,
    reconnectPeriod: 0,
  });
  const connack = await new Promise<{ sessionPresent: boolean }>((resolve) => client.once("connect", resolve));
  await client.endAsync();
  return connack.sessionPresent;
}

for (const version of versions) {
  test(`a clean session's end is told as gone, a kept one's as offline, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const [clean, kept] = [newClientId(), newClientId()];
    (await openSession(t, edge.tcp, version, clean)).socket.destroy();
    await eventually(() => events(hooks).length === 2);
    const client = await openSession(t, edge.tcp, version, kept, keeping(version, 60));
    client.send({ cmd: "disconnect" });
    await eventually(() => events(hooks).length === 4);
    assert.deepEqual(events(hooks), [
      `on_client_wakeup ${clean}`,
      `on_client_gone ${clean}`,
      `on_client_wakeup ${kept}`,
      `on_client_offline ${kept}`,
    ]);
    const last = hooks.asked.findLast(({ body }) => body.client_id === kept);
    assert.deepEqual(last?.body, { mountpoint: "", client_id: kept });
  });

  test(`the newer connection takes over, and nobody hears that the client id has gone, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const clientId = newClientId();
    const first = await openSession(t, edge.tcp, version, clientId);
    const second = await openSession(t, edge.tcp, version, clientId);
    const said = (await first.closed()) as { cmd: string; reasonCode?: number }[];
    assert.deepEqual(
      said.map(({ cmd, reasonCode }) => [cmd, reasonCode]),
      version === 5 ? [["disconnect", 0x8e]] : [],
    );
    second.send({ cmd: "pingreq" });
    assert.equal((await second.next()).cmd, "pingresp");
    assert.deepEqual((await clientsOf(edge)).length, 1);
    assert.deepEqual(events(hooks), [`on_client_wakeup ${clientId}`, `on_client_wakeup ${clientId}`]);
    second.socket.destroy();
    await eventually(() => events(hooks).at(-1) === `on_client_gone ${clientId}`);
    assert.equal(events(hooks).length, 3);
  });

  test(`events of one client id arrive one after the other, also when hooks are slow, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    let under = 0;
    let most = 0;
    hooks.answer(async (hook) => {
      if (!hook.startsWith("on_")) return ok;
      most = Math.max(most, ++under);
      await new Promise((resolve) => setTimeout(resolve, hook === "on_client_wakeup" ? 40 : 5));
      under -= 1;
      return ok;
    });
    const clientId = newClientId();
    for (let round = 0; round < 3; round++) (await openSession(t, edge.tcp, version, clientId)).socket.destroy();
    await eventually(
      () => events(hooks).length >= 4 && events(hooks).at(-1) === `on_client_gone ${clientId}` && under === 0,
    );
    assert.equal(most, 1);
  });

  test(`a kept session's messages wait, and its life ends after the edge's limit, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_SESSION_EXPIRY_SECONDS: "2" });
    const clientId = newClientId();
    const topic = `waiting/${version}`;
    const device = await openSession(t, edge.tcp, version, clientId, keeping(version, 0xffffffff));
    device.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 1 }] });
    await device.next();
    device.socket.destroy();
    await eventually(() => events(hooks).at(-1) === `on_client_offline ${clientId}`);
    const writer = await connectDevice(t, edge);
    await writer.publishAsync(topic, "while away", { qos: 1 });
    const back = await openSession(t, edge.tcp, version, clientId, { ...keeping(version, 3600), clean: false });
    assert.equal((await back.next()).topic, topic);
    back.socket.destroy();
    await eventually(() => events(hooks).at(-1) === `on_session_expired ${clientId}`);
    assert.equal(await isKept(edge, clientId), false);
  });

  test(`a device that came back in time keeps its session and its connection, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_SESSION_EXPIRY_SECONDS: "4" });
    const clientId = newClientId();
    (await openSession(t, edge.tcp, version, clientId, keeping(version, 60))).socket.destroy();
    await eventually(() => events(hooks).at(-1) === `on_client_offline ${clientId}`);
    const back = await openSession(t, edge.tcp, version, clientId, { ...keeping(version, 60), clean: false });
    const past = Date.now() + 5500;
    await eventually(() => Date.now() > past);
    back.send({ cmd: "pingreq" });
    assert.equal((await back.next()).cmd, "pingresp");
    assert.equal(events(hooks).at(-1), `on_client_wakeup ${clientId}`);
  });

  test(`a connection ends when its login does, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const register = version === 5 ? "auth_on_register_m5" : "auth_on_register";
    let expireAt = 0;
    hooks.answer((hook) => {
      if (hook !== register) return ok;
      expireAt = Math.ceil(Date.now() / 1000) + 2;
      return { body: { result: "ok", expire_at: expireAt } };
    });
    const client = await openSession(t, edge.tcp, version, newClientId());
    const said = (await client.closed()) as { reasonCode?: number }[];
    assert.deepEqual(
      said.map(({ reasonCode }) => reasonCode),
      version === 5 ? [0xa0] : [],
    );
    assert.ok(Date.now() >= expireAt * 1000);
  });

  test(`DELETE /clients/{id} ends a connection and its session, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId, keeping(version, 60));
    assert.equal((await admin(edge, "DELETE", `/clients/${encodeURIComponent(clientId)}`)).status, 204);
    const said = (await client.closed()) as { reasonCode?: number }[];
    assert.deepEqual(
      said.map(({ reasonCode }) => reasonCode),
      version === 5 ? [0x98] : [],
    );
    await eventually(() => events(hooks).length === 2);
    assert.deepEqual(events(hooks), [`on_client_wakeup ${clientId}`, `on_client_gone ${clientId}`]);
    assert.deepEqual(await clientsOf(edge), []);
    assert.equal(await isKept(edge, clientId), false);
  });

  test(`the Will of a device that is removed is not sent, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const reader = await connectDevice(t, edge);
    const topic = `removed/${version}`;
    await reader.subscribeAsync(topic);
    const will = (text: string) => ({ topic, payload: Buffer.from(text), qos: 1 as const });
    const clientId = newClientId();
    const removed = await openSession(t, edge.tcp, version, clientId, {
      will: will("removed"),
      ...keeping(version, 60),
    });
    assert.equal((await admin(edge, "DELETE", `/clients/${clientId}`)).status, 204);
    await removed.closed();
    const lost = await openSession(t, edge.tcp, version, newClientId(), { will: will("lost") });
    lost.socket.destroy();
    await eventually(() => reader.received.length > 0);
    assert.deepEqual(reader.received, ["lost"]);
  });

  test(`DELETE /clients/{id} ends the session of a client that is away, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const clientId = newClientId();
    (await openSession(t, edge.tcp, version, clientId, keeping(version, 60))).socket.destroy();
    await eventually(() => events(hooks).at(-1) === `on_client_offline ${clientId}`);
    assert.equal((await admin(edge, "DELETE", `/clients/${clientId}`)).status, 204);
    await eventually(() => events(hooks).at(-1) === `on_client_gone ${clientId}`);
    assert.equal(await isKept(edge, clientId), false);
  });

  test(`a device that falls silent is closed after 1.5 times its keep-alive, one that pings is not, MQTT ${version}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const silent = await openSession(t, edge.tcp, version, newClientId(), { keepalive: 1 });
    const pinging = await openSession(t, edge.tcp, version, newClientId(), { keepalive: 1 });
    const pings = setInterval(() => pinging.send({ cmd: "pingreq" }), 300);
    t.after(() => clearInterval(pings));
    const said = (await silent.closed()) as { reasonCode?: number }[];
    assert.deepEqual(
      said.map(({ reasonCode }) => reasonCode),
      version === 5 ? [0x8d] : [],
    );
    assert.equal((await pinging.next()).cmd, "pingresp");
    assert.equal(pinging.socket.readyState, "open");
  });

  test(`when the broker goes its devices are closed without a DISCONNECT, which clients would not come back from, MQTT ${version}`, async (t) => {
    const { mosquitto: broker } = await startServers(t, { mosquitto: true });
    const { hooks, edge } = await startBoth(t, broker);
    const client = await openSession(t, edge.tcp, version, newClientId());
    await broker.kill();
    assert.deepEqual(await client.closed(), []);
    await eventually(() => events(hooks).length === 2);
    await broker.start();
    await openSession(t, edge.tcp, version, newClientId());
  });

  test(`an edge that stops tells the hooks, and closes its devices without a DISCONNECT, MQTT ${version}`, async (t) => {
    const { hooks, edge } = await startBoth(t, mosquitto);
    const clientId = newClientId();
    const client = await openSession(t, edge.tcp, version, clientId);
    await edge.close();
    assert.deepEqual(await client.closed(), []);
    assert.deepEqual(events(hooks), [`on_client_wakeup ${clientId}`, `on_client_gone ${clientId}`]);
  });
}

test("after a restart of the edge, DELETE still ends a session it never saw", async (t) => {
  const { edge: before, hooks } = await startBoth(t, mosquitto);
  const clientId = newClientId();
  (await openSession(t, before.tcp, 4, clientId, { clean: false })).socket.destroy();
  await eventually(() => events(hooks).at(-1) === `on_client_offline ${clientId}`);
  await before.close();
  const { edge } = await startBoth(t, mosquitto);
  assert.equal((await admin(edge, "DELETE", `/clients/${clientId}`)).status, 204);
  assert.equal((await admin(edge, "DELETE", `/clients/${clientId}`)).status, 404);
});

test("DISCONNECT may change how long a session lives, within the limit and never from nothing", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto, { EDGE_SESSION_EXPIRY_SECONDS: "2" });
  const disconnect = (client: RawClient, sessionExpiryInterval: number) =>
    client.send({ cmd: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval } });
  const longer = newClientId();
  disconnect(await openSession(t, edge.tcp, 5, longer, keeping(5, 1)), 0xffffffff);
  await eventually(() => events(hooks).at(-1) === `on_client_offline ${longer}`);
  await eventually(() => events(hooks).at(-1) === `on_session_expired ${longer}`);
  assert.equal(await isKept(edge, longer), false);
  const ended = newClientId();
  disconnect(await openSession(t, edge.tcp, 5, ended, keeping(5, 60)), 0);
  await eventually(() => events(hooks).at(-1) === `on_client_gone ${ended}`);
  const cleanId = newClientId();
  const clean = await openSession(t, edge.tcp, 5, cleanId);
  disconnect(clean, 60);
  const said = (await clean.closed()) as { reasonCode?: number }[];
  assert.deepEqual(
    said.map(({ reasonCode }) => reasonCode),
    [0x82],
  );
  await eventually(() => events(hooks).at(-1) === `on_client_gone ${cleanId}`);
});

test("GET /clients lists who is connected, how and since when", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const since = Date.now();
  const one = await connectDevice(t, edge, { protocolVersion: 5 });
  const two = await connectDevice(t, edge, { protocolVersion: 4, transport: "ws", username: "bob" });
  const clients = await clientsOf(edge);
  assert.deepEqual(
    clients.map(({ connected_at: _, connection_id: __, ...rest }) => rest),
    [
      { client_id: one.options.clientId, username: "alice", mountpoint: "", protocol: 5, transport: "tcp" },
      { client_id: two.options.clientId, username: "bob", mountpoint: "", protocol: 4, transport: "ws" },
    ],
  );
  for (const { connected_at: at } of clients) assert.ok(Number(at) >= since && Number(at) <= Date.now());
  assert.equal(new Set(clients.map(({ connection_id: name }) => name || "none")).size, 2, "each by its own name");
  await one.endAsync();
  await eventually(async () => (await clientsOf(edge)).length === 1);
});

test("the admin port answers only to the services' secret", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  assert.equal((await fetch(`${edge.admin}/clients`)).status, 401);
  for (const secret of ["", "wrong", `${mosquitto.password}x`, mosquitto.password.slice(1)]) {
    for (const [method, path] of [
      ["GET", "/clients"],
      ["DELETE", "/clients/alice"],
    ] as const) {
      const response = await admin(edge, method, path, secret);
      assert.equal(response.status, 401);
      assert.equal(((await response.json()) as { error: { code: string } }).error.code, "unauthenticated");
    }
  }
});

test("the admin port says clearly what it cannot do", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const cases = [
    ["DELETE", "/clients/nobody", 404, "not_found"],
    ["DELETE", "/clients", 404, "not_found"],
    ["POST", "/clients", 404, "not_found"],
    ["GET", "/elsewhere", 404, "not_found"],
    ["DELETE", "/clients/%ff", 400, "invalid_packet"],
    ["DELETE", "/clients/router-p0", 403, "forbidden"],
  ] as const;
  for (const [method, path, status, code] of cases) {
    const response = await admin(edge, method, path);
    assert.equal(response.status, status, `${method} ${path}`);
    assert.equal(((await response.json()) as { error: { code: string } }).error.code, code);
  }
});

test("DELETE while the broker is away is unavailable, not done", async (t) => {
  const { edge } = await startBoth(t, { url: "mqtt://127.0.0.1:1", password: mosquitto.password });
  assert.equal((await admin(edge, "DELETE", "/clients/alice")).status, 503);
});

test("a port that is taken stops the start with its setting's name", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  for (const [setting, port] of [
    ["EDGE_MQTT_PORT", edge.tcp],
    ["EDGE_WS_PORT", new URL(edge.ws).port],
    ["EDGE_ADMIN_PORT", new URL(edge.admin).port],
  ] as const)
    await assert.rejects(
      startBoth(t, mosquitto, { [setting]: String(port) }),
      new RegExp(`${setting} 127\\.0\\.0\\.1:${port}: the port is taken`),
    );
});
