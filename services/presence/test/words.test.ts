// What devices say of themselves, heard by two replicas on one Redis and one store.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { connectRedis } from "@parley/runtime";
import { openStore } from "@parley/store";
import { eventually, serviceContext, startServers } from "@parley/testkit";
import { type Devices, openDevices } from "../src/devices.ts";
import { createBegin } from "../src/sessions/begin.ts";
import { changeSessions, type SessionChange } from "../src/sessions/change.ts";
import { saidKey, toldKey, unsureKey } from "../src/sessions/keys.ts";
import { keepWords } from "../src/sessions/words.ts";

const nobody = async () => false;

const { log } = serviceContext("presence");
const { redis: server } = await startServers({ after }, { redis: true });
const redis = await connectRedis({ url: server.url, log });
after(() => redis.disconnect());
const folder = await mkdtemp(join(tmpdir(), "parley-presence-"));
const store = await openStore(`sqlite:${folder}`, { service: "presence" });
const devices = await openDevices(store.documents(), log, nobody);
after(async () => {
  await devices.close();
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function changed(one: SessionChange) {
  const [outcome] = await changeSessions(redis, [one], 0);
  if (outcome === undefined || outcome instanceof Error) throw outcome;
  return outcome;
}
const change = async (one: SessionChange) => void (await changed(one));
const told = (uid: string) => redis.get(toldKey(uid));
const isKept = async (clientId: string) => (await devices.areInvisible([clientId])).get(clientId);

/** A device that the store knows, as the one of a user of its own. */
async function know(uid: string): Promise<{ uid: string; clientId: string }> {
  await devices.claim(`${uid}:phone`, uid);
  await devices.ofUser(uid);
  return { uid, clientId: `${uid}:phone` };
}

/** A replica that keeps words until the test ends, with devices of which some answers are played. */
function keepHere(t: { after(work: () => unknown): void }, played: Partial<Devices> = {}) {
  const words = keepWords({ redis, devices: { ...devices, ...played }, change, log, everyMs: 20 });
  t.after(() => words.close());
  return words;
}

const isAway = { areInvisible: () => Promise.reject(new Error("the store is away")) };

test("while the store is away nobody is shown who may be invisible; who is not is shown when it is back, whichever replica lives", async (t) => {
  const [anna, ben, cleo] = [await know("anna"), await know("ben"), await know("cleo")];
  await devices.keepInvisible([anna.clientId], async () => new Map([[anna.clientId, true]]));
  // This replica keeps no words: it dies.
  const begin = createBegin({ devices: isAway, change });
  for (const one of [anna, ben, cleo]) await begin({ ...one, op: "connect", at: 1 });
  assert.deepEqual(await Promise.all(["anna", "ben", "cleo"].map(told)), Array(3).fill("invisible "));
  await change({ ...cleo, op: "state", at: 2, by: "r", show: "invisible" });
  keepHere(t);
  await eventually(async () => (await told("ben")) === "online ");
  await eventually(async () => (await redis.hlen(unsureKey)) === 0);
  assert.deepEqual([await told("anna"), await told("cleo")], ["invisible ", "invisible "]);
  await eventually(() => isKept(cleo.clientId));
});

test("what a device says while one replica looks whether it is invisible stays, though another one heard it", async (t) => {
  const dan = await know("dan");
  await createBegin({ devices: isAway, change })({ ...dan, op: "connect", at: 1 });
  const looking = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  keepHere(t, {
    async areInvisible(clientIds) {
      const known = await devices.areInvisible(clientIds);
      looking.resolve();
      await going.promise;
      return known;
    },
  });
  await looking.promise;
  await change({ ...dan, op: "state", at: 2, by: "r", show: "invisible" });
  going.resolve();
  await eventually(async () => (await redis.hexists(unsureKey, dan.clientId)) === 0);
  const marker = await know("dora");
  await createBegin({ devices: isAway, change })({ ...marker, op: "connect", at: 1 });
  await eventually(async () => (await told("dora")) === "online ");
  assert.equal(await told("dan"), "invisible ");
});

test("of what a device said to one router the later word stays, in whatever order two replicas hear it, in the store too", async (t) => {
  const eva = await know("eva");
  await change({ ...eva, op: "connect", at: 1 });
  await change({ ...eva, op: "state", at: 12, by: "r", show: "online", status: "later" });
  await change({ ...eva, op: "state", at: 11, by: "r", show: "invisible", status: "earlier" });
  assert.equal(await told("eva"), "online later");
  await change({ ...eva, op: "state", at: 13, by: "r", active: true });
  const late = await changed({ ...eva, op: "state", at: 12, by: "r", active: false });
  assert.equal(await told("eva"), "online later");
  assert.equal(late.wakes, true, "what came between was left out");
  keepHere(t);
  await eventually(async () => JSON.parse((await redis.hget(saidKey, eva.clientId)) ?? "{}").kept !== undefined);
  assert.equal(await isKept(eva.clientId), false);
  // Of another router nothing is known but that it says so now: the one before may be gone, with its clock.
  await change({ ...eva, op: "state", at: 2, by: "other", show: "dnd" });
  assert.equal(await told("eva"), "dnd later");
});

test("of two devices of a user the status counts that was taken last, in whatever order replicas hear of them", async () => {
  const [phone, web] = [await know("finn"), { uid: "finn", clientId: "finn:web" }];
  for (const one of [phone, web]) await change({ ...one, op: "connect", at: 1 });
  await change({ ...web, op: "state", at: 22, by: "r", status: "from the web" });
  await change({ ...phone, op: "state", at: 21, by: "s", status: "from the phone" });
  assert.equal(await told("finn"), "online from the web");
});

test("of two replicas that keep what a device said the later word stays in the store", async () => {
  const gwen = await know("gwen");
  let said = true;
  const kept = await devices.keepInvisible([gwen.clientId], async () => {
    const before = said;
    said = false;
    // The other one is done before this one has written.
    assert.equal((await devices.keepInvisible([gwen.clientId], async () => new Map([[gwen.clientId, said]]))).size, 1);
    return new Map([[gwen.clientId, before]]);
  });
  assert.equal(kept.size, 0);
  assert.equal(await isKept(gwen.clientId), false);
});

test("a device that said it is invisible begins so, also where the store was asked before it knew", async (t) => {
  const hugo = await know("hugo");
  const asked = Promise.withResolvers<void>();
  const going = Promise.withResolvers<void>();
  const areInvisible: Devices["areInvisible"] = async (clientIds) => {
    const known = await devices.areInvisible(clientIds);
    asked.resolve();
    await going.promise;
    return known;
  };
  await change({ ...hugo, op: "connect", at: 1 });
  const begun = createBegin({ devices: { areInvisible }, change })({ ...hugo, op: "connect", at: 1 });
  await asked.promise;
  await change({ ...hugo, op: "state", at: 2, by: "r", show: "invisible" });
  await change({ ...hugo, op: "end", at: 3 });
  keepHere(t).soon();
  await eventually(() => isKept(hugo.clientId));
  going.resolve();
  await begun;
  assert.equal(await told("hugo"), "invisible ");
});
