// A store of an older version is brought forward in steps; indexes are brought to what is declared.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { hasMongo, testMongo } from "@parley/testkit";
import { type Db, MongoClient } from "mongodb";
import { openStore } from "../open-store.ts";
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

test("missing indexes are built, changed ones built again, an operator's and a newer version's left", {
  skip,
}, async (t) => {
  const collection = (await openDatabase(t)).collection("things");
  await collection.createIndex({ operator: 1 }, { name: "an operator's" });
  await ensureIndexes(collection, [{ name: "x", key: { a: 1 } }]);
  const newer = { name: "x", key: { a: 1, b: 1 }, unique: true } as const;
  await Promise.all([ensureIndexes(collection, [newer]), ensureIndexes(collection, [newer])]);
  const described = async () =>
    (await storedIndexes(collection)).map(({ name, key, unique }) => [name, Object.keys(key), unique === true]).sort();
  const all = [
    ["an operator's", ["operator"], false],
    ["x", ["a", "b"], true],
  ];
  assert.deepEqual(await described(), all);
  await ensureIndexes(collection, []);
  assert.deepEqual(await described(), all);
});

test("an older replica that starts beside newer ones leaves the index that they find by", { skip }, async (t) => {
  const mongo = await testMongo(t);
  assert.ok(mongo);
  const open = async (indexes: Record<string, readonly string[]>) => {
    const store = await openStore(mongo.url, { service: "history" });
    t.after(() => store.close());
    const documents = store.documents();
    return {
      documents,
      members: await documents.collection<{ uid: string; reader: string }>({ name: "members", indexes }),
    };
  };
  const newer = await open({ by_uid: ["uid"], by_reader: ["reader"] });
  await newer.members.put([{ key: "k", doc: { uid: "u", reader: "r" } }]);
  await open({ by_uid: ["uid"] });
  const [kept] = await newer.documents.definitions();
  assert.deepEqual(kept?.indexes, { by_reader: ["reader"], by_uid: ["uid"] });
  assert.equal((await newer.members.find({ index: "by_reader", equals: ["r"], limit: 2 })).items.length, 1);
});
