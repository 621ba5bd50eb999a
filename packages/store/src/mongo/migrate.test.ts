// A store of an older version is brought forward in steps; indexes are brought to what is declared.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { hasMongo, testMongo } from "@parley/testkit";
import { type Db, MongoClient } from "mongodb";
import { ensureIndexes, storedIndexes } from "./indexes.ts";
import { openSchema, type Steps } from "./schema.ts";

const skip = !hasMongo();

async function openDatabase(t: TestContext): Promise<Db> {
  let client: MongoClient | undefined;
  t.after(() => client?.close());
  const mongo = await testMongo(t);
  assert.ok(mongo);
  client = new MongoClient(mongo.url);
  return client.db();
}

const open = (db: Db, steps: Steps) => openSchema(db, { prefix: "s_", place: "here", steps, facts: {} });
const versionOf = async (db: Db) => (await db.collection("s_meta").findOne({ kind: "parley" }))?.version;

test("only the steps that are missing run, in order", { skip }, async (t) => {
  const db = await openDatabase(t);
  const ran: number[] = [];
  const step = (n: number) => async () => void ran.push(n);
  await open(db, [step(0)]);
  assert.equal(await versionOf(db), 1);
  await open(db, [step(0), step(1), step(2)]);
  await open(db, [step(0), step(1), step(2)]);
  assert.deepEqual(ran, [0, 1, 2]);
  assert.equal(await versionOf(db), 3);
});

test("a step that fails is done again at the next start, and those before it are not", { skip }, async (t) => {
  const db = await openDatabase(t);
  const ran: number[] = [];
  const step = (n: number) => async () => void ran.push(n);
  const failing = async () => Promise.reject(new Error("no step"));
  await assert.rejects(open(db, [step(0), failing]), /no step/);
  assert.equal(await versionOf(db), 1);
  await open(db, [step(0), step(1)]);
  assert.deepEqual(ran, [0, 1]);
});

test("missing indexes are built, changed ones built again, ours that nobody declares dropped, others left", {
  skip,
}, async (t) => {
  const collection = (await openDatabase(t)).collection("things");
  await collection.createIndex({ operator: 1 }, { name: "an operator's" });
  const isOurs = ({ key }: { key?: object }) => "a" in (key ?? {});
  await ensureIndexes(collection, [{ name: "x", key: { a: 1 } }], isOurs);
  await ensureIndexes(collection, [{ name: "x", key: { a: 1, b: 1 }, unique: true }], isOurs);
  const described = async () =>
    (await storedIndexes(collection)).map(({ name, key, unique }) => [name, Object.keys(key), unique === true]).sort();
  assert.deepEqual(await described(), [
    ["an operator's", ["operator"], false],
    ["x", ["a", "b"], true],
  ]);
  await Promise.all([ensureIndexes(collection, [], isOurs), ensureIndexes(collection, [], isOurs)]);
  assert.deepEqual(await described(), [["an operator's", ["operator"], false]]);
});
