// Two presences on one store and one Redis.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ConnectedReply, devicesList, devicesRemove, subjects } from "@parley/protocol";
import { callMethod, connectNats, requestJson } from "@parley/runtime";
import { type Collection, type Documents, openStore } from "@parley/store";
import { eventually, serviceContext, type TestContext } from "@parley/testkit";
import { openDevices } from "../src/devices.ts";
import { openRevoked } from "../src/revoked.ts";
import { type Presence, playBroker, startOne } from "./start.ts";

const nobody = async () => false;

async function openDocuments(t: TestContext): Promise<Documents> {
  const folder = await mkdtemp(join(tmpdir(), "parley-presence-"));
  const store = await openStore(`sqlite:${folder}`, { service: "presence" });
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  return store.documents();
}

const { log } = serviceContext("presence");

/** `documents` where whoever reads many is held between what it read and what it does next, until `go`. */
function heldAfterReading(documents: Documents) {
  const reading = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  const held: Documents = Object.create(documents, {
    collection: {
      value: async (definition: Parameters<Documents["collection"]>[0]) => {
        const kept = await documents.collection(definition);
        const getMany = async (keys: readonly string[]) => {
          const found = await kept.getMany(keys);
          reading.resolve();
          await going.promise;
          return found;
        };
        return Object.create(kept, {
          get: { value: kept.get.bind(kept) },
          find: { value: kept.find.bind(kept) },
          insert: { value: kept.insert.bind(kept) },
          update: { value: kept.update.bind(kept) },
          remove: { value: kept.remove.bind(kept) },
          put: { value: kept.put.bind(kept) },
          getMany: { value: getMany },
        }) as Collection<object>;
      },
    },
  });
  return { held, reading: reading.promise, go: () => going.resolve() };
}

const idsOf = (devices: { clientId: string }[]) => devices.map(({ clientId }) => clientId).sort();

test("a device that one replica removed is not brought back by what another was about to note of it", async (t) => {
  const documents = await openDocuments(t);
  const one = await openDevices(documents, log, nobody);
  await one.claim("alice:phone", "alice");
  await one.ofUser("alice");
  const { held, reading, go } = heldAfterReading(documents);
  const other = await openDevices(held, log, nobody);
  other.note("alice:phone", { lastSeen: Date.now() });
  await reading;
  assert.equal(await one.remove("alice:phone", "alice"), true);
  go();
  await other.close();
  assert.deepEqual(await one.ofUser("alice"), []);
});

test("when two replicas note of a device at once, the later time is kept", async (t) => {
  const documents = await openDocuments(t);
  const one = await openDevices(documents, log, nobody);
  await one.claim("alice:phone", "alice");
  await one.ofUser("alice");
  const { held, reading, go } = heldAfterReading(documents);
  const other = await openDevices(held, log, nobody);
  other.note("alice:phone", { lastSeen: 1000 });
  await reading;
  one.note("alice:phone", { lastSeen: 2000 });
  assert.equal((await one.ofUser("alice"))[0]?.lastSeen, 2000);
  go();
  await other.close();
  assert.equal((await one.ofUser("alice"))[0]?.lastSeen, 2000);
});

test("a device that one replica removed is listed again when it comes back through another", async (t) => {
  const documents = await openDocuments(t);
  const [one, other] = [await openDevices(documents, log, nobody), await openDevices(documents, log, nobody)];
  for (const replica of [one, other]) await replica.claim("alice:phone", "alice");
  await one.remove("alice:phone", "alice");
  other.forget("alice:phone");
  await other.claim("alice:phone", "alice");
  await other.close();
  assert.deepEqual(idsOf(await one.ofUser("alice")), ["alice:phone"]);
});

test("a device that connected a moment ago is listed by every replica, and any may remove it", async (t) => {
  const one = await startOne(t);
  // With a store of its own, it stands for one that reads before the other has kept the device.
  await startOne(t, {}, one);
  for (let i = 0; i < 16; i += 1) {
    const [uid, clientId] = [`alice${i}`, `alice${i}:phone`];
    await one.connect(clientId);
    for (let times = 0; times < 4; times += 1) {
      const { devices } = await callMethod(one.nats, devicesList, { uid, via: "http" }, {}, { timeoutMs: 30_000 });
      assert.deepEqual(
        devices.map((device) => [device.clientId, device.online]),
        [[clientId, true]],
      );
    }
    assert.deepEqual(
      await callMethod(one.nats, devicesRemove, { uid, via: "http" }, { clientId }, { timeoutMs: 30_000 }),
      {},
    );
  }
});

test("of two users that two replicas are asked for at once, exactly one owns a new client id", async (t) => {
  const documents = await openDocuments(t);
  const [one, other] = [await openDevices(documents, log, nobody), await openDevices(documents, log, nobody)];
  for (let round = 0; round < 20; round++) {
    const won = await Promise.all([one.claim(`mqtt/${round}`, "alice"), other.claim(`mqtt/${round}`, "bob")]);
    assert.equal(won.filter(Boolean).length, 1);
    assert.equal(await one.ownerOf(`mqtt/${round}`), await other.ownerOf(`mqtt/${round}`));
  }
});

test("of a device that connects while its login is noted is kept what both say", async (t) => {
  const documents = await openDocuments(t);
  const [one, other] = [await openDevices(documents, log, nobody), await openDevices(documents, log, nobody)];
  for (let round = 0; round < 20; round++) {
    const clientId = `slim/${round}`;
    one.note(clientId, { uid: "alice", kind: "android" });
    const [, isOwner] = await Promise.all([one.flush(), other.claim(clientId, "alice", "loopback", "slimchat")]);
    assert.equal(isOwner, true);
    await other.flush();
    const { kind, dialect, address } = (await one.known(clientId))!;
    assert.deepEqual({ kind, dialect, address }, { kind: "android", dialect: "slimchat", address: "loopback" });
  }
});

async function online({ nats }: Presence): Promise<string[]> {
  const { devices } = await callMethod(nats, devicesList, { uid: "alice", via: "service" }, {}, { timeoutMs: 30_000 });
  return idsOf(devices.filter((device) => device.online));
}

test("the end of a connection at one edge ends no session at another, whenever and from whatever clock it is told", async (t) => {
  const presence = await startOne(t);
  const now = Date.now();
  await presence.connect("alice:phone", { connection: "a", at: now - 5000 });
  await presence.session("connected", "alice:phone", now - 5000, "a");
  await presence.connect("alice:phone", { connection: "b", at: now });
  await presence.session("gone", "alice:phone", now + 10, "a");
  await presence.session("connected", "alice:phone", now + 5, "b");
  await presence.session("expired", "alice:phone", now + 3_600_000, "a");
  await presence.connect("alice:web");
  assert.deepEqual(await online(presence), ["alice:phone", "alice:web"]);
  await presence.session("gone", "alice:phone", now - 3_600_000, "b");
  await eventually(async () => (await online(presence)).join() === "alice:web");
});

test("an end that overtakes the begin it belongs to leaves no ghost", async (t) => {
  const presence = await startOne(t);
  const now = Date.now();
  await presence.session("gone", "alice:phone", now, "a");
  await presence.connect("alice:web");
  await presence.connect("alice:phone", { connection: "a", at: now - 10 });
  await presence.session("connected", "alice:phone", now + 3_600_000, "a");
  await presence.connect("alice:tablet");
  assert.deepEqual(await online(presence), ["alice:tablet", "alice:web"]);
});

test("a connection that presence was not asked about is the session from its first event on", async (t) => {
  const presence = await startOne(t);
  const now = Date.now();
  await presence.connect("alice:phone", { connection: "a", at: now - 5000 });
  await presence.session("connected", "alice:phone", now, "b");
  await presence.session("gone", "alice:phone", now, "a");
  await presence.connect("alice:web");
  await eventually(async () => (await online(presence)).join() === "alice:phone,alice:web");
  await presence.session("gone", "alice:phone", now, "b");
  await eventually(async () => (await online(presence)).join() === "alice:web");
});

test("any replica says whether a device is connected, or by another connection, whichever took its connect", async (t) => {
  const one = await startOne(t);
  await startOne(t, {}, one);
  await one.connect("alice:phone", { connection: "a" });
  const asked = [
    [{ clientId: "alice:phone" }, true],
    [{ clientId: "alice:phone", connection: "b" }, true],
    [{ clientId: "alice:phone", connection: "a" }, false],
    [{ clientId: "alice:web" }, false],
    [{ clientId: "mqtt/unknown" }, false],
  ] as const;
  for (let turn = 0; turn < 6; turn++)
    for (const [request, connected] of asked)
      assert.deepEqual(
        await requestJson<ConnectedReply>(one.nats, subjects.deviceConnected, request, { timeoutMs: 30_000 }),
        { connected },
      );
});

test("a device that was revoked while no presence ran is disconnected by the next one", async (t) => {
  const broker = await playBroker(t);
  const one = await startOne(t);
  const before = Date.now() / 1000;
  await one.connect("alice:phone", { issuedAt: before - 60 });
  await one.connect("alice:web", { issuedAt: before + 1 });
  one.revocations.push({ uid: "alice", before, until: before + 3600 });
  await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url }, one);
  const ended = () => broker.asked.filter(({ method }) => method === "DELETE").map(({ url }) => url);
  await eventually(() => ended().length > 0);
  assert.deepEqual([...new Set(ended())], ["/clients/alice%3Aphone"]);
});

test("a change of password ends the connections made under an earlier one, but of the login that made the change", async (t) => {
  const broker = await playBroker(t);
  const presence = await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url });
  const soon = Date.now() / 1000 + 60;
  // Their times say nothing: clocks differ.
  await presence.connect("alice:kept", { issuedAt: soon - 120, passwordSince: 1, family: "f1" });
  await presence.connect("alice:same", { issuedAt: soon, passwordSince: 1, family: "f2" });
  await presence.connect("alice:typed", { credential: "password", at: soon * 1000, passwordSince: 1 });
  await presence.connect("alice:new", { issuedAt: soon - 120, passwordSince: 2, family: "f3" });
  await presence.connect("alice:retyped", { credential: "password", at: Date.now() - 60_000, passwordSince: 2 });
  const before = Date.now() / 1000;
  const password = { since: 2, keep: "f1" };
  await presence.publish(subjects.revoked, { uid: "alice", before, until: before + 3600, password });
  const left = ["alice:kept", "alice:new", "alice:retyped"];
  await eventually(async () => (await online(presence)).join() === left.join());
  const ended = () => new Set(broker.asked.filter(({ method }) => method === "DELETE").map(({ url }) => url));
  await eventually(() => ended().size >= 2);
  assert.deepEqual([...ended()].sort(), ["/clients/alice%3Asame", "/clients/alice%3Atyped"]);
});

for (const connection of ["a", undefined])
  test(`a connection that begins after its session was ended by a change of password is ended as well, ${connection ? "named" : "without a name"}`, async (t) => {
    const broker = await playBroker(t);
    const presence = await startOne(t, { PRESENCE_BROKER_ADMIN_URL: broker.url });
    const ended = () => broker.asked.filter(({ method }) => method === "DELETE").length;
    const named = connection === undefined ? {} : { connection };
    await presence.connect("alice:phone", { passwordSince: 1, credential: "password", ...named });
    const before = Date.now() / 1000;
    await presence.publish(subjects.revoked, { uid: "alice", before, until: before + 3600, password: { since: 2 } });
    // At once and once more, and the broker knew of nobody yet.
    await eventually(async () => ended() >= 1 && (await online(presence)).length === 0);
    for (const since of [60_000, 120_000]) {
      const told = ended();
      await presence.session("connected", "alice:phone", Date.now() + since, connection);
      await eventually(() => ended() > told);
      await eventually(async () => (await online(presence)).length === 0);
    }
    // A new login under that name is another session.
    const told = ended();
    await presence.connect("alice:phone", {
      passwordSince: 2,
      family: "f1",
      at: Date.now() + 180_000,
      connection: "b",
    });
    await presence.session("connected", "alice:phone", Date.now() + 180_000, "b");
    await eventually(async () => (await online(presence)).length === 1);
    assert.equal(ended(), told);
  });

test("the replica that was to end a revoked device's connection may die: another one ends it", async (t) => {
  const presence = await startOne(t);
  const before = Date.now() / 1000;
  await presence.connect("alice:phone", { issuedAt: before - 60 });
  const nats = await connectNats({ url: presence.natsServer.url, name: "test", log });
  t.after(() => nats.close());
  const ended: string[] = [];
  const sessions = {
    ofUser: async () => new Map([["alice:phone", { at: 0, issuedAt: before - 60 }]]),
  } as unknown as Parameters<typeof openRevoked>[0]["sessions"];
  const broker = { list: async () => [], disconnect: async (clientId: string) => void ended.push(clientId) };
  const forgotten: string[] = [];
  const revoked = openRevoked({ nats, sessions, broker, onDevice: (clientId) => void forgotten.push(clientId), log });
  t.after(() => revoked.close());
  // It heard of it, and it was not the one to act.
  revoked.remember({ uid: "alice", clientId: "alice:phone", before, until: before + 3600 });
  assert.deepEqual(forgotten, ["alice:phone"]);
  await eventually(() => ended.length > 0);
  assert.deepEqual(ended, ["alice:phone"]);
});

test("a revocation that could not be acted on is acted on when Redis is back, however long that takes", async (t) => {
  const presence = await startOne(t);
  const before = Date.now() / 1000;
  const nats = await connectNats({ url: presence.natsServer.url, name: "test", log });
  t.after(() => nats.close());
  const ended: string[] = [];
  let isAway = true;
  let refused = 0;
  const sessions = {
    ofUser: async () => {
      if (isAway) throw new Error(`Redis is away, ${++refused}`);
      return new Map([["alice:phone", { at: 0, issuedAt: before - 60 }]]);
    },
    change: async () => {},
  } as unknown as Parameters<typeof openRevoked>[0]["sessions"];
  const broker = { list: async () => [], disconnect: async (clientId: string) => void ended.push(clientId) };
  // What was acted on is forgotten at once here.
  const revoked = openRevoked({ nats, sessions, broker, onDevice: () => {}, log, rememberMs: 0 });
  t.after(() => revoked.close());
  const revocation = { uid: "alice", clientId: "alice:phone", before, until: before + 3600 };
  revoked.remember(revocation);
  revoked.act(revocation);
  await eventually(() => refused > 0);
  revoked.again();
  await eventually(() => refused > 1);
  isAway = false;
  revoked.again();
  await eventually(() => ended.length > 0);
});
