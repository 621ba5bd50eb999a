// One token that two users register at the same time, again and again: by one process, and by two that share a store.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, testMongo } from "@parley/testkit";
import { startOthers } from "./others.ts";
import { startProcess } from "./processes.ts";
import { callerOf, fcm, list, register, startRegistered, storeFolder } from "./registered.ts";

const t = { after };
const others = await startOthers(t);
const { nats } = others;
const rounds = 15;
/** A replica that hears nothing asks again after a minute. */
const beforeForgotten = { timeoutMs: 30_000 };

async function fight(): Promise<void> {
  const token = fcm();
  for (let round = 0; round < rounds; round++) {
    const users = ["ann", "bob", "cid", "dan"];
    const ids = await Promise.all(users.map((uid) => register(nats, callerOf(uid, "phone"), token)));
    const owners = (await Promise.all(users.map((uid) => list(nats, uid)))).flat();
    assert.deepEqual(
      owners.map(({ id }) => id),
      [ids[0]!.id],
      "one of them has it",
    );
    const late = users[round % users.length]!;
    await register(nats, callerOf(late, "phone"), token);
    assert.deepEqual((await list(nats, late)).length, 1, "who registers last has it");
  }
}

test("a token that users fight over in one process is one user's, the last one's", async (t) => {
  const one = await startProcess(t, others, await storeFolder(t));
  await fight();
  await one.kill();
});

test("a token that users fight over in two processes is one user's, the last one's", async (t) => {
  const mongo = await testMongo(t);
  if (!mongo) return t.skip("no MongoDB");
  const both = await Promise.all([startProcess(t, others, mongo.url), startProcess(t, others, mongo.url)]);
  await fight();
  await Promise.all(both.map((one) => one.kill()));
});

test("what one replica changed the other knows: a token, its end, and a setting", async (t) => {
  const mongo = await testMongo(t);
  if (!mongo) return t.skip("no MongoDB");
  const replicas = [await startRegistered(t, others, mongo.url), await startRegistered(t, others, mongo.url)];
  for (const one of replicas) await one.sound();
  const both = (work: (one: (typeof replicas)[number]) => Promise<boolean>) =>
    eventually(async () => (await Promise.all(replicas.map(work))).every(Boolean), beforeForgotten);
  const keys = async (one: (typeof replicas)[number]) =>
    ((await one.tokens.ofUsers(["ann"])).get("ann") ?? []).map(({ key }) => key);
  await both(async (one) => (await keys(one)).length === 0);
  const { id } = await register(nats, callerOf("ann", "phone"), fcm());
  await both(async (one) => (await keys(one)).join() === id);
  await replicas[0]!.settings.ofUsers(["ann"]);
  await replicas[0]!.settings.change("ann", { preview: "none" });
  await both(async (one) => (await one.settings.ofUsers(["ann"])).get("ann")?.preview === "none");
  await replicas[1]!.tokens.removeDevice("ann", "ann:phone");
  await both(async (one) => (await keys(one)).length === 0);
});
