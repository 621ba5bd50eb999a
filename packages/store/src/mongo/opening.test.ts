// Servers and databases that are not as they should be: one clear line, nothing touched, never the password.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { freePort, hasMongo, startFaultyMongo, testMongo } from "@parley/testkit";
import { MongoClient } from "mongodb";
import { append, entries } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";
import { StoreError, type StoreErrorCode } from "../store-error.ts";

const skip = !hasMongo();
const secret = "s3cretpassw0rd";

async function freshDatabase(t: TestContext): Promise<string> {
  const mongo = await testMongo(t);
  assert.ok(mongo);
  return mongo.url;
}

async function onDatabase<T>(url: string, work: (db: ReturnType<MongoClient["db"]>) => Promise<T>): Promise<T> {
  const client = new MongoClient(url);
  try {
    return await work(client.db());
  } finally {
    await client.close();
  }
}

async function content(url: string): Promise<unknown> {
  return onDatabase(url, async (db) => {
    const names = (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).sort();
    return Promise.all(names.map(async (name) => [name, await db.collection(name).find().toArray()]));
  });
}

async function assertRefused(url: string, code: StoreErrorCode, message: RegExp, facts = {}): Promise<void> {
  await assert.rejects(openStore(url, { service: "history", facts }), (error) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, new RegExp(`${secret}|\n`));
    return true;
  });
}

/** Opens and closes a store with something in it. */
async function fill(url: string, facts: Record<string, number> = {}): Promise<void> {
  const store = await openStore(url, { service: "history", facts });
  await append(store.log(), entries("room/r1", 1, 3));
  await store.close();
}

for (const [what, url, message] of [
  ["an option that there is not", `mongodb://u:${secret}@127.0.0.1/d?nonsense=1`, /nonsense/],
  ["a password that is not encoded", `mongodb://u:${secret}%zz@127.0.0.1/d`, /%-encoded/],
  ["no host", `mongodb://u:${secret}@`, /^STORE_URL: this is not a MongoDB URL/],
] as const) {
  test(`a URL with ${what} is refused`, () => assertRefused(url, "invalid_url", message));
}

test("an unknown host, and a port where nobody listens, are named within seconds", async () => {
  const unused = `mongodb://u:${secret}@127.0.0.1:${await freePort()}/d`;
  await Promise.all([
    assertRefused(
      `mongodb://u:${secret}@no-such-host.invalid/d`,
      "unavailable",
      /no-such-host\.invalid:27017 is not a known host/,
    ),
    assertRefused(unused, "unavailable", /127\.0\.0\.1:\d+ refuses connections: is MongoDB running there\?/),
  ]);
});

test("a wrong password is called so", { skip }, async (t) => {
  const faulty = await startFaultyMongo(t, await freshDatabase(t));
  faulty.inject("saslStart", undefined, { kind: "refuse", code: 18 }, 100);
  const url = faulty.url.replace("mongodb://", `mongodb://u:${secret}@`);
  await assertRefused(url, "denied", /refuses this user name and password/);
});

test("a replica set without a primary is called so", { skip }, async (t) => {
  const faulty = await startFaultyMongo(t, await freshDatabase(t));
  const url = new URL(faulty.url);
  const { host } = url;
  // Polled, as a stream of answers would pass the proxy by.
  url.search = "?replicaSet=rs&serverMonitoringMode=poll";
  const primary = { ismaster: false, isWritablePrimary: false, primary: undefined };
  const fields = { ...primary, secondary: true, setName: "rs", hosts: [host], me: host, setVersion: 1 };
  for (const command of ["ismaster", "hello"]) faulty.inject(command, undefined, { kind: "say", fields }, 1_000);
  await assertRefused(url.href, "unavailable", /replica set rs has no primary: is a majority/);
});

test("a majority that confirms nothing is called so", { skip }, async (t) => {
  const faulty = await startFaultyMongo(t, await freshDatabase(t));
  faulty.inject("insert", "history_meta", { kind: "noMajority", code: 64 });
  await assertRefused(faulty.url, "unavailable", /majority/);
});

test("collections of somebody else's under the service's name are refused and not touched", { skip }, async (t) => {
  const url = await freshDatabase(t);
  await onDatabase(url, (db) => db.collection<{ _id: string }>("history_messages").insertOne({ _id: "mine" }));
  const before = await content(url);
  await assertRefused(url, "corrupt", /history_… are not Parley's; name another database/);
  assert.deepEqual(await content(url), before);
});

test("a store of a newer version is refused and not touched", { skip }, async (t) => {
  const url = await freshDatabase(t);
  await fill(url);
  await onDatabase(url, (db) => db.collection("history_meta").updateOne({ kind: "parley" }, { $set: { version: 99 } }));
  const before = await content(url);
  await assertRefused(url, "newer_version", /written by a newer Parley \(schema 99, this one knows 1\)/);
  assert.deepEqual(await content(url), before);
});

test("a store written with another constant is refused and not touched", { skip }, async (t) => {
  const url = await freshDatabase(t);
  await fill(url, { conversationPartitions: 256 });
  const before = await content(url);
  const message = /conversationPartitions 256, this Parley has 128/;
  await assertRefused(url, "mismatch", message, { conversationPartitions: 128, other: 1 });
  assert.deepEqual(await content(url), before);
  const store = await openStore(url, { service: "history", facts: { other: 2 } });
  assert.deepEqual(await store.facts(), { conversationPartitions: 256, other: 2 });
  await store.close();
});

test("many that open an empty database at once all get it, with one version and the first one's facts", {
  skip,
}, async (t) => {
  const url = await freshDatabase(t);
  const opened = await Promise.all(
    Array.from({ length: 6 }, () => openStore(url, { service: "history", facts: { conversationPartitions: 256 } })),
  );
  for (const store of opened) {
    assert.deepEqual(await store.facts(), { conversationPartitions: 256 });
    await store.close();
  }
  assert.equal(await onDatabase(url, (db) => db.collection("history_meta").countDocuments()), 1);
});

test("a server that is away for a while is unavailable, and then used again", { skip }, async (t) => {
  const faulty = await startFaultyMongo(t, await freshDatabase(t));
  const store = await openStore(faulty.url, { service: "history" });
  t.after(() => store.close());
  await append(store.log(), entries("room/r1", 1, 1));
  faulty.refuseAll(true);
  await assert.rejects(append(store.log(), entries("room/r1", 2, 1)), { code: "unavailable" });
  await assert.rejects(store.check(), { code: "unavailable" });
  faulty.refuseAll(false);
  await append(store.log(), entries("room/r1", 2, 1));
});

test("of two that open an empty database with different constants one is refused", { skip }, async (t) => {
  const url = await freshDatabase(t);
  const results = await Promise.allSettled(
    [256, 128].map((partitions) => openStore(url, { service: "history", facts: { partitions } })),
  );
  for (const result of results) if (result.status === "fulfilled") await result.value.close();
  assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  const refused = results.find(({ status }) => status === "rejected") as PromiseRejectedResult;
  assert.equal(refused.reason.code, "mismatch");
});

test("a closed store answers unavailable, and what was asked for before is stored", { skip }, async (t) => {
  const url = await freshDatabase(t);
  const store = await openStore(url, { service: "history" });
  const members = await store.documents().collection({ name: "members" });
  const waiting = append(store.log(), entries("room/r1", 1, 3));
  await store.close();
  await waiting;
  await assert.rejects(store.log().first("room/r1"), { code: "unavailable" });
  await assert.rejects(append(store.log(), entries("room/r1", 4, 1)), { code: "unavailable" });
  await assert.rejects(members.get("k"), { code: "unavailable" });
  await assert.rejects(store.check(), { code: "unavailable" });
});
