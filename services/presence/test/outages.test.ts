import assert from "node:assert/strict";
import { test } from "node:test";
import { type ConnectedReply, devicesList, devicesRemove, subjects } from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { Redis } from "ioredis";
import { type Presence, playBroker, startOne } from "./start.ts";

const asAlice = { uid: "alice", clientId: "alice:web", via: "mqtt" } as const;

async function online({ nats }: Presence): Promise<string[]> {
  const { devices } = await callMethod(nats, devicesList, asAlice, {}, { timeoutMs: 30_000 });
  return devices.filter((device) => device.online).map(({ clientId }) => clientId);
}

test("while Redis is away connects are answered, and their sessions are there when it is back", async (t) => {
  const presence = await startOne(t);
  await presence.connect("alice:tablet");
  await presence.redis.kill();
  assert.deepEqual(await presence.connect("alice:phone"), { ok: true });
  assert.deepEqual(await presence.connect("alice:web"), { ok: true });
  assert.deepEqual(await presence.connect("alice:web", { uid: "bob" }), { ok: false, reason: "owned_by_another" });
  await presence.session("gone", "alice:web");
  await assert.rejects(online(presence), { code: "unavailable" });
  await presence.redis.start();
  await eventually(async () => (await online(presence)).includes("alice:phone"));
  await eventually(async () => !(await online(presence)).includes("alice:web"));
});

test("a Redis that hangs does not make the connect decision wait for presence", async (t) => {
  const presence = await startOne(t);
  await presence.connect("alice:tablet");
  presence.redis.pause();
  // Redis itself is given up after a second.
  assert.deepEqual(await presence.connect("alice:phone", {}, 800), { ok: true });
  presence.redis.resume();
  await eventually(async () => (await online(presence)).includes("alice:phone"));
});

test("after a Redis flush the broker's list brings the sessions back", async (t) => {
  const broker = await playBroker(t);
  const presence = await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url, PRESENCE_RECONCILE_SECONDS: "3600" });
  await eventually(() => broker.asked.length > 0);
  await presence.connect("alice:phone");
  broker.clients.set("alice:phone", Date.now()).set("router-p3", Date.now());
  const redis = new Redis(presence.redis.url);
  t.after(() => redis.disconnect());
  await redis.flushall();
  await eventually(async () => (await online(presence)).join() === "alice:phone");
  assert.equal(broker.asked[0]!.authorization, "Bearer services-secret-of-a-test");
});

test("after a Redis flush nobody takes a device's own connection for another one, whether the broker names it or not", async (t) => {
  const broker = await playBroker(t);
  const presence = await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url, PRESENCE_RECONCILE_SECONDS: "3600" });
  await eventually(() => broker.asked.length > 0);
  broker.names.set("alice:phone", "a");
  for (const clientId of ["alice:phone", "alice:web"]) {
    await presence.connect(clientId, { connection: "a" });
    broker.clients.set(clientId, Date.now());
  }
  const redis = new Redis(presence.redis.url);
  t.after(() => redis.disconnect());
  await redis.flushall();
  await eventually(async () => (await online(presence)).join() === "alice:phone,alice:web");
  const isElsewhere = async (clientId: string, connection: string) => {
    const request = { clientId, connection };
    const reply = await requestJson<ConnectedReply>(presence.nats, subjects.deviceConnected, request, {
      timeoutMs: 30_000,
    });
    return reply.connected;
  };
  assert.equal(await isElsewhere("alice:phone", "a"), false);
  assert.equal(await isElsewhere("alice:phone", "b"), true, "it is told apart again");
  assert.equal(await isElsewhere("alice:web", "a"), false);
});

test("what the broker has and presence has not is registered; what it has not any more is ended, but nothing of the last ten seconds", async (t) => {
  const broker = await playBroker(t);
  broker.clients.set("alice:phone", Date.now()).set("not native", Date.now());
  const env = { PRESENCE_BROKER_ADMIN_URL: broker.url, PRESENCE_RECONCILE_SECONDS: "1" };
  const presence = await startOne(t, env);
  await presence.connect("alice:old", { at: Date.now() - 11_000 });
  await presence.connect("alice:new");
  await eventually(async () => (await online(presence)).join() === "alice:new,alice:phone");
  broker.clients.clear();
  const redis = new Redis(presence.redis.url);
  t.after(() => redis.disconnect());
  broker.status = 503;
  await redis.zadd("presence:sessions", Date.now() - 11_000, "alice:phone");
  const asked = broker.asked.length;
  await eventually(() => broker.asked.length > asked + 1);
  assert.ok((await online(presence)).includes("alice:phone"), "an error is no list");
  assert.ok(presence.lines.some(({ event, what }) => event === "waiting" && String(what).includes("list")));
});

test("a device whose token has expired is disconnected at the broker", async (t) => {
  const broker = await playBroker(t);
  const env = { PRESENCE_BROKER_ADMIN_URL: broker.url, PRESENCE_RECONCILE_SECONDS: "1" };
  const presence = await startOne(t, env);
  broker.clients.set("alice:phone", Date.now()).set("alice:web", Date.now());
  await presence.connect("alice:phone", { expiresAt: Math.floor(Date.now() / 1000) - 1 });
  await presence.connect("alice:web", { expiresAt: Math.floor(Date.now() / 1000) + 1000 });
  await eventually(() => broker.asked.some(({ method }) => method === "DELETE"));
  const ended = broker.asked.filter(({ method }) => method === "DELETE").map(({ url }) => url);
  assert.deepEqual([...new Set(ended)], ["/clients/alice%3Aphone"]);
});

test("a revoked device is disconnected at the broker, one with a newer token is not", async (t) => {
  const broker = await playBroker(t);
  const presence = await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url });
  const before = Date.now() / 1000;
  await presence.connect("alice:phone", { issuedAt: before - 60 });
  await presence.connect("alice:web", { issuedAt: before + 1 });
  await presence.connect("alice:tablet", { credential: "password", at: Date.now() - 60_000 });
  await presence.publish(subjects.revoked, { uid: "alice", before, until: before + 3600 });
  const ended = () => broker.asked.filter(({ method }) => method === "DELETE").map(({ url }) => url);
  await eventually(() => new Set(ended()).size >= 2);
  assert.deepEqual([...new Set(ended())].sort(), ["/clients/alice%3Aphone", "/clients/alice%3Atablet"]);
  await presence.connect("bob", { issuedAt: before - 60 });
  await presence.connect("bob:web", { issuedAt: before - 60 });
  await presence.publish(subjects.revoked, { uid: "bob", clientId: "bob:web", before, until: before + 3600 });
  await eventually(() => ended().includes("/clients/bob%3Aweb"));
  assert.ok(!ended().includes("/clients/bob"));
});

test("devices.remove revokes, disconnects and forgets; sent again it is answered alike; others' devices are not found", async (t) => {
  const broker = await playBroker(t);
  const presence = await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url });
  // By a clock that is ahead.
  await presence.connect("alice:phone", { at: Date.now() + 3_600_000 });
  await presence.connect("bob");
  const remove = (clientId: string, requestId?: string) =>
    callMethod(
      presence.nats,
      devicesRemove,
      { ...asAlice, ...(requestId ? { requestId } : {}) },
      { clientId },
      { timeoutMs: 30_000 },
    );
  for (const clientId of ["bob", "alice:none"]) await assert.rejects(remove(clientId), { code: "not_found" });
  assert.deepEqual(presence.revoked, []);
  assert.deepEqual(await remove("alice:phone", "r1"), {});
  assert.deepEqual(presence.revoked, [{ uid: "alice", clientId: "alice:phone" }]);
  assert.ok(broker.asked.some(({ method, url }) => method === "DELETE" && url === "/clients/alice%3Aphone"));
  const { devices } = await callMethod(presence.nats, devicesList, asAlice, {}, { timeoutMs: 30_000 });
  assert.deepEqual(devices, []);
  assert.deepEqual(await remove("alice:phone", "r1"), {});
  await assert.rejects(remove("alice:phone", "r2"), { code: "not_found" });
  for (const bad of [{}, { clientId: 7 }, { clientId: "a\nb" }, { clientId: "alice", more: 1 }])
    await assert.rejects(callMethod(presence.nats, devicesRemove, asAlice, bad as never, { timeoutMs: 30_000 }), {
      code: "invalid_packet",
    });
  await assert.rejects(
    callMethod(presence.nats, devicesList, asAlice, { uid: "bob" } as never, { timeoutMs: 30_000 }),
    {
      code: "invalid_packet",
    },
  );
});

test("two replicas agree on every transition: each is told once", async (t) => {
  const one = await startOne(t);
  await startOne(t, {}, one);
  one.contacts.set("alice", ["bob"]);
  await one.connect("bob");
  for (let round = 1; round <= 5; round++) {
    const devices = Array.from({ length: 8 }, (_, n) => `alice:d${n}`);
    await Promise.all(devices.map((device) => one.connect(device)));
    await eventually(() => one.noticesOf("alice").length === 2 * round - 1);
    await Promise.all(devices.map((device) => one.session("gone", device)));
    await eventually(() => one.noticesOf("alice").length === 2 * round);
  }
  const shows = one.noticesOf("alice").map(({ show }) => show);
  assert.deepEqual(shows, Array.from({ length: 5 }, () => ["online", "offline"]).flat());
});

test("that there is no broker's list to compare with is said once", async (t) => {
  const presence = await startOne(t);
  assert.equal(presence.lines.filter(({ event }) => event === "no_reconcile").length, 1);
});
