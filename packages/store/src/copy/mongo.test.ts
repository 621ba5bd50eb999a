// Between the engines: what went to MongoDB and came back is what it was.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { hasMongo, testMongo } from "@parley/testkit";
import { MongoClient } from "mongodb";
import { entry, partitionOf } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";
import { freshFolder } from "../sqlite/open-engine.ts";
import { comparePair } from "./compare.ts";
import { type CopyOptions, copyStore } from "./copy-store.ts";
import { killCopyAt, refusal } from "./copying.ts";
import { fillStore, retained } from "./filled-store.ts";

const partitions = 256;
const options = { skip: hasMongo() ? false : "no MongoDB here" };
const copy = (from: string, to: string, progress: CopyOptions["progress"] = () => {}) =>
  copyStore({ from, to, partitions, progress });

async function places(t: TestContext): Promise<[first: string, mongo: string, second: string]> {
  const folder = await freshFolder(t);
  await fillStore(`sqlite:${join(folder, "first")}`, 600);
  return [`sqlite:${join(folder, "first")}`, (await testMongo(t))!.url, `sqlite:${join(folder, "second")}`];
}

async function open(t: TestContext, url: string, service: string) {
  const store = await openStore(url, { service, lockWaitMs: 0 });
  t.after(() => store.close());
  return store;
}

test("a store that went from SQLite to MongoDB, killed on the way, and back, is what it was", options, async (t) => {
  const [first, mongo, second] = await places(t);
  await killCopyAt(t, first, mongo, "copy 100");
  await assert.rejects(open(t, mongo, "history"), refusal("corrupt", /not finished/));
  const there = await copy(first, mongo);
  assert.deepEqual([there.differences, there.resumed], [[], true]);
  await killCopyAt(t, mongo, second, "copy 100");
  const back = await copy(mongo, second);
  assert.deepEqual([back.differences, back.entries, back.documents], [[], there.entries, there.documents]);
  for (const service of back.services) {
    const [from, to] = [await open(t, first, service), await open(t, second, service)];
    assert.deepEqual(await comparePair({ service, from, to }, partitions, () => {}), []);
    const definitions = (await to.documents().definitions()).filter(({ name }) => name !== "store_copy");
    assert.deepEqual(definitions, await from.documents().definitions());
    assert.deepEqual(await to.facts(), await from.facts());
  }
});

test(
  "a source on MongoDB that grew during the copy is found out, and copied when it is run again",
  options,
  async (t) => {
    const [, mongo, second] = await places(t);
    await fillStore(mongo, 200);
    const log = (await open(t, mongo, "history")).log();
    let seq = 31;
    const grow = () => log.append(partitionOf(retained), [entry(retained, ++seq, seq + 1)]);
    const growing: Promise<void>[] = [];
    const grown = await copy(mongo, second, ({ step }) => {
      if (step === "compare" && growing.length === 0) growing.push(grow());
    });
    await Promise.all(growing);
    assert.deepEqual(
      grown.differences.map(({ of, from, to }) => [of, from.count - to.count]),
      [[`partition ${partitionOf(retained)}`, 1]],
    );
    assert.deepEqual((await copy(mongo, second)).differences, []);
  },
);

test("a database that holds something else, or is not there, is refused and shows no password", options, async (t) => {
  const [first, mongo, second] = await places(t);
  await fillStore(mongo, 20);
  await assert.rejects(copy(first, mongo), refusal("duplicate_key", /^TO: it holds data of api already/));
  const { host, pathname } = new URL(mongo);
  await assert.rejects(copy(mongo, `mongodb://${host}${pathname}`), refusal("invalid_url", /the same store: mongodb:/));
  const empty = (await testMongo(t))!.url;
  await assert.rejects(copy(empty, second), refusal("invalid_url", /^FROM: mongodb:.* holds no store/));
  const away = "mongodb://u:secret@127.0.0.1:1/parley?serverSelectionTimeoutMS=200";
  await assert.rejects(copy(first, away), refusal("unavailable", /^TO: mongodb:\/\/127\.0\.0\.1:1\/parley/));
  const client = new MongoClient(empty);
  t.after(() => client.close());
  await client.db().collection("history_users").insertOne({ of: "somebody else" });
  await assert.rejects(copy(first, empty), refusal("corrupt", /^TO: .*not Parley's/));
});
