// Nothing of a user who is erased stays at presence.
import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { devicesList, presenceGet, subjects } from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext } from "@parley/testkit";
import { Redis } from "ioredis";
import { openDevices } from "../src/devices.ts";
import { playBroker, startOne } from "./start.ts";

const nobody = async () => false;

const timeoutMs = 60_000;

test("an erased user has no device, session or time at which it was seen, also of more devices than one list has and of what was under way", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-presence-"));
  const store = await openStore(`sqlite:${folder}`, { service: "presence" });
  const before = await openDevices(store.documents(), serviceContext("presence").log, nobody);
  for (let n = 0; n < 1_020; n++) await before.claim(`alice:d${n}`, "alice");
  await before.close();
  await store.close();
  const broker = await playBroker(t);
  const presence = await startOne(t, {
    STORE_URL: `sqlite:${folder}`,
    PARLEY_DIR: folder,
    PRESENCE_BROKER_ADMIN_URL: broker.url,
    PRESENCE_OFFLINE_DELAY_MS: "60000",
  });
  const redis = new Redis(presence.redis.url).on("error", () => {});
  t.after(() => redis.disconnect());
  presence.contacts.set("alice", ["bob"]).set("bob", ["alice"]);
  presence.lastSeen.set("alice", "everybody");
  await presence.connect("bob:phone");
  // By a clock that is ahead.
  await presence.connect("alice:phone", { at: Date.now() + 3_600_000 });
  await presence.publish(subjects.deviceState, { uid: "alice", clientId: "alice:phone", status: "here" });
  await eventually(() => presence.noticesOf("alice").at(-1)?.status === "here");
  await eventually(async () => (await redis.exists("presence:sent:alice")) === 1);
  const list = () => callMethod(presence.nats, devicesList, { uid: "alice", via: "http" }, {}, { timeoutMs });
  assert.ok((await list()).devices.length >= 1_000);
  presence.gone.add("alice");
  presence.contacts.set("alice", []).set("bob", []);
  await requestJson(presence.nats, subjects.eraseDevices, { uid: "alice" }, { timeoutMs });
  const get = () =>
    callMethod(presence.nats, presenceGet, { uid: "alice", via: "http" }, { uid: "alice" }, { timeoutMs });
  const left = await redis.keys("presence:*alice");
  assert.deepEqual(
    left.filter((key) => !/^presence:(turn|telling):/.test(key)),
    [],
  );
  for (const key of ["presence:due", "presence:leaving"]) assert.equal(await redis.zscore(key, "alice"), null);
  assert.deepEqual([await list(), (await get()).lastSeen], [{ devices: [] }, null]);
});

test("of a user who is gone already nothing is kept when it leaves", async (t) => {
  const presence = await startOne(t);
  await presence.connect("alice:phone");
  await presence.connect("bob:phone");
  presence.gone.add("alice");
  await requestJson(presence.nats, subjects.contactsChanged, { uid: "alice" }, { timeoutMs });
  for (const uid of ["alice", "bob"]) await presence.session("gone", `${uid}:phone`);
  const seen = async (uid: string) =>
    (await callMethod(presence.nats, presenceGet, { uid, via: "http" }, { uid }, { timeoutMs })).lastSeen;
  const redis = new Redis(presence.redis.url).on("error", () => {});
  t.after(() => redis.disconnect());
  await eventually(async () => (await seen("bob")) !== null && (await redis.zcard("presence:due")) === 0);
  await eventually(async () => (await redis.zcard("presence:leaving")) === 0);
  assert.equal(await seen("alice"), null);
});
