// What every engine of the port Documents must do.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { StoreError } from "../store-error.ts";
import type { OpenEngine } from "./engine.ts";
import { finding } from "./find.ts";
import { codeOf, definition, keys, openTokens, type Token } from "./tokens.ts";

const oddKeys = [
  "__proto__",
  "constructor",
  "a.b.c",
  "$where",
  "'; DROP TABLE x; --",
  '"',
  "%",
  "_",
  "\\",
  " ",
  "ü☃😀",
  "é",
  "e\u0301",
  "A",
  "a",
];
/** Registers the suite; `name` is the engine's. */
export function documentsConformance(name: string, open: OpenEngine): void {
  describe(`Documents on ${name}: one document`, () => oneDocument(open));
  describe(`Documents on ${name}: keys and content`, () => content(open));
  describe(`Documents on ${name}: find`, () => finding(open));
  describe(`Documents on ${name}: indexes`, () => indexing(open));
}

function oneDocument(open: OpenEngine): void {
  test("insert stores a document once, and the first one stays", async (t) => {
    const tokens = await openTokens(open, t);
    assert.equal(await tokens.insert("k", { uid: "a", ts: 1 }), true);
    assert.equal(await tokens.insert("k", { uid: "b", ts: 2 }), false);
    assert.deepEqual((await tokens.get("k"))?.doc, { uid: "a", ts: 1 });
    assert.equal(await tokens.get("other"), undefined);
  });

  test("of inserts of one key at the same time exactly one is true", async (t) => {
    const tokens = await openTokens(open, t);
    const results = await Promise.all(Array.from({ length: 20 }, (_, ts) => tokens.insert("k", { uid: "a", ts })));
    assert.equal(results.filter(Boolean).length, 1);
    assert.equal((await tokens.get("k"))?.doc.ts, results.indexOf(true));
  });

  test("update replaces a document only if it is unchanged", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("k", { uid: "a", ts: 1, token: "x" });
    const read = await tokens.get("k");
    assert.equal(await tokens.update("k", { uid: "a", ts: 2 }, read!.version), true);
    assert.equal(await tokens.update("k", { uid: "a", ts: 3 }, read!.version), false);
    assert.deepEqual((await tokens.get("k"))?.doc, { uid: "a", ts: 2 });
    assert.equal(await tokens.update("missing", { uid: "a", ts: 1 }, read!.version), false);
  });

  test("of updates of one version at the same time exactly one is true", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("k", { uid: "a", ts: 0 });
    const { version } = (await tokens.get("k"))!;
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, ts) => tokens.update("k", { uid: "a", ts }, version)),
    );
    assert.equal(results.filter(Boolean).length, 1);
    assert.equal((await tokens.get("k"))?.doc.ts, results.indexOf(true));
  });

  test("a document that was removed and made again is not the one that was read", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("k", { uid: "a", ts: 1 });
    const { version } = (await tokens.get("k"))!;
    await tokens.remove("k");
    await tokens.insert("k", { uid: "b", ts: 1 });
    assert.equal(await tokens.update("k", { uid: "a", ts: 2 }, version), false);
    assert.equal(await tokens.remove("k", version), false);
  });

  test("remove tells whether there was one, and heeds the version", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("k", { uid: "a", ts: 1 });
    const { version } = (await tokens.get("k"))!;
    await tokens.update("k", { uid: "a", ts: 2 }, version);
    assert.equal(await tokens.remove("k", version), false);
    assert.equal(await tokens.remove("k", (await tokens.get("k"))!.version), true);
    assert.equal(await tokens.remove("k"), false);
    assert.equal(await tokens.get("k"), undefined);
  });

  test("put stores many, over whatever was there, and a version read before is stale", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("a", { uid: "a", ts: 1 });
    const { version } = (await tokens.get("a"))!;
    const docs = Array.from({ length: 500 }, (_, ts) => ({ key: `k${ts}`, doc: { uid: "p", ts } }));
    await tokens.put([{ key: "a", doc: { uid: "b", ts: 1 } }, ...docs, { key: "k0", doc: { uid: "last", ts: 0 } }]);
    assert.equal((await tokens.get("a"))?.doc.uid, "b");
    assert.equal((await tokens.get("k0"))?.doc.uid, "last");
    assert.equal((await tokens.get("k499"))?.doc.ts, 499);
    assert.equal(await tokens.update("a", { uid: "c", ts: 1 }, version), false);
    await tokens.put([]);
  });

  test("writeMany stores each document that is as it was read or is not there, and tells which", async (t) => {
    const tokens = await openTokens(open, t);
    for (const key of ["same", "changed", "gone", "there"]) await tokens.insert(key, { uid: key, ts: 1 });
    const read = await tokens.getMany(["same", "changed", "gone"]);
    const at = (key: string) => ({ key, doc: { uid: "new", ts: 2 }, ifVersion: read.get(key)!.version });
    await tokens.update("changed", { uid: "other", ts: 3 }, at("changed").ifVersion);
    await tokens.remove("gone");
    const unread = (key: string) => ({ key, doc: { uid: "new", ts: 2 } });
    const many = Array.from({ length: 1_200 }, (_, n) => unread(`many-${n}`));
    const written = await tokens.writeMany([at("same"), at("changed"), at("gone"), unread("there"), ...many]);
    assert.deepEqual(written, [true, false, true, false, ...many.map(() => true)]);
    const uids = await tokens.getMany(["same", "changed", "gone", "there", "many-1199"]);
    assert.deepEqual([...uids.values()].map(({ doc }) => doc.uid).sort(), ["new", "new", "new", "other", "there"]);
    assert.deepEqual(await tokens.writeMany([at("same"), unread("many-3")]), [false, false]);
    assert.deepEqual(await tokens.writeMany([]), []);
  });

  test("of writeMany of one version at the same time exactly one is true", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("k", { uid: "a", ts: 0 });
    const ifVersion = (await tokens.get("k"))!.version;
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, ts) => tokens.writeMany([{ key: "k", doc: { uid: "a", ts }, ifVersion }])),
    );
    assert.equal(results.flat().filter(Boolean).length, 1);
    assert.equal((await tokens.get("k"))?.doc.ts, results.flat().indexOf(true));
  });

  test("everything is there after the store was closed and opened again", async (t) => {
    const engine = await open(t);
    const before = await engine.store.documents().collection<Token>(definition);
    await before.insert("a", { uid: "a", ts: 1, token: "x" });
    await before.put([{ key: "b", doc: { uid: "a", ts: 2 } }]);
    const { version } = (await before.get("a"))!;
    const tokens = await (await engine.reopen()).documents().collection<Token>(definition);
    assert.deepEqual(await tokens.get("a"), { key: "a", version, doc: { uid: "a", ts: 1, token: "x" } });
    assert.deepEqual(keys(await tokens.find({ index: "byUidTime", equals: ["a"], limit: 9 })), ["a", "b"]);
  });
}

function content(open: OpenEngine): void {
  test("odd keys are kept apart and found", async (t) => {
    const tokens = await openTokens(open, t);
    for (const [ts, key] of oddKeys.entries()) assert.equal(await tokens.insert(key, { uid: key, ts }), true);
    const found = await tokens.getMany([...oddKeys, "missing"]);
    assert.deepEqual([...found.keys()].sort(), [...oddKeys].sort());
    for (const [ts, key] of oddKeys.entries()) {
      assert.deepEqual(found.get(key)?.doc, { uid: key, ts });
      assert.deepEqual(keys(await tokens.find({ index: "byUid", equals: [key], limit: 9 })), [key]);
    }
  });

  test("a key that could not be kept apart from others is refused", async (t) => {
    const tokens = await openTokens(open, t);
    for (const key of ["", "a\0b", "\ud800", "k".repeat(513)]) {
      await assert.rejects(tokens.insert(key, { uid: "a", ts: 1 }), codeOf("invalid_key"));
      await assert.rejects(tokens.get(key), codeOf("invalid_key"));
      await assert.rejects(tokens.put([{ key, doc: { uid: "a", ts: 1 } }]), codeOf("invalid_key"));
    }
    assert.equal(await tokens.insert("ü".repeat(256), { uid: "a", ts: 1 }), true);
  });

  test("a document comes back as it was, whatever JSON it holds", async (t) => {
    const any = await (await open(t)).store.documents().collection<Record<string, unknown>>({ name: "any" });
    const doc = JSON.parse(`{"n":null,"f":1.5e-7,"big":9007199254740991,"neg":-0.5,"list":[1,[],{}, "x"],"":"empty",
      "a.b":1,"$set":{"$gt":1},"__proto__":{"x":1},"text":"\\u0000 \\ud83d\\ude00 ' \\" %","no":false}`);
    await any.insert("k", doc);
    const found = (await any.get("k"))!.doc;
    assert.deepEqual(JSON.stringify(found), JSON.stringify(doc));
  });

  test("a document of 4 MiB is kept", async (t) => {
    const any = await (await open(t)).store.documents().collection<{ text: string }>({ name: "any" });
    const text = "ü😀".repeat(700_000);
    await any.insert("k", { text });
    assert.equal((await any.get("k"))?.doc.text, text);
  });

  test("what is read is the reader's own to change", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("k", { uid: "a", ts: 1 });
    (await tokens.get("k"))!.doc.uid = "changed";
    assert.equal((await tokens.get("k"))?.doc.uid, "a");
  });

  test("collections do not see each other's documents", async (t) => {
    const { store } = await open(t);
    const one = await store.documents().collection<Token>(definition);
    const two = await store.documents().collection<Token>({ ...definition, name: "tokens_2" });
    await one.insert("k", { uid: "a", ts: 1, token: "x" });
    assert.equal(await two.insert("k", { uid: "b", ts: 1, token: "x" }), true);
    assert.equal((await one.get("k"))?.doc.uid, "a");
  });
}

function indexing(open: OpenEngine): void {
  test("a unique index refuses a second document with its value, in every way of writing", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("a", { uid: "a", ts: 1, token: "x" });
    await tokens.insert("b", { uid: "b", ts: 1, token: "y" });
    assert.equal(await tokens.insert("c", { uid: "c", ts: 1, token: "x" }), false);
    assert.equal(await tokens.get("c"), undefined);
    const { version } = (await tokens.get("b"))!;
    await assert.rejects(tokens.update("b", { uid: "b", ts: 1, token: "x" }, version), (error) => {
      assert.ok(error instanceof StoreError);
      assert.deepEqual([error.code, error.details.index], ["duplicate_key", "byToken"]);
      return true;
    });
    assert.equal((await tokens.get("b"))?.version, version);
    assert.equal(await tokens.update("a", { uid: "a", ts: 2, token: "x" }, (await tokens.get("a"))!.version), true);
  });

  test("a put that a unique index refuses says so, and touches nobody else's", async (t) => {
    const tokens = await openTokens(open, t);
    await tokens.insert("a", { uid: "a", ts: 1, token: "x" });
    const other = tokens.insert("other", { uid: "o", ts: 1 });
    const put = tokens.put([
      { key: "p1", doc: { uid: "p", ts: 1 } },
      { key: "p2", doc: { uid: "p", ts: 1, token: "x" } },
    ]);
    await assert.rejects(put, codeOf("duplicate_key"));
    assert.equal(await other, true);
    assert.equal(await tokens.get("p2"), undefined);
    assert.notEqual(await tokens.get("other"), undefined);
  });

  test("indexes declared later hold the documents that were there, and changed ones are built again", async (t) => {
    const engine = await open(t);
    const plain = await engine.store.documents().collection<Token>({ name: "tokens" });
    await plain.put([
      { key: "a", doc: { uid: "u", ts: 2 } },
      { key: "b", doc: { uid: "u", ts: 1 } },
    ]);
    await assert.rejects(plain.find({ index: "mine", limit: 1 }), TypeError);
    const reopened = await engine.reopen();
    const byUid = { name: "tokens", indexes: { mine: ["uid"] } };
    const first = await reopened.documents().collection<Token>(byUid);
    assert.deepEqual(keys(await first.find({ index: "mine", equals: ["u"], limit: 9 })), ["a", "b"]);
    const byTime = { name: "tokens", indexes: { mine: ["uid", "ts"], other: { fields: ["ts"], unique: true } } };
    const second = await (await engine.reopen()).documents().collection<Token>(byTime);
    assert.deepEqual(keys(await second.find({ index: "mine", equals: ["u"], limit: 9 })), ["b", "a"]);
    assert.equal(await second.insert("c", { uid: "v", ts: 1 }), false);
    const notUnique = { name: "tokens", indexes: { other: ["ts"] } };
    const third = await (await engine.reopen()).documents().collection<Token>(notUnique);
    assert.equal(await third.insert("c", { uid: "v", ts: 1 }), true);
  });

  test("an index that stored documents do not allow to be unique is refused, and nothing is lost", async (t) => {
    const engine = await open(t);
    const plain = await engine.store.documents().collection<Token>({ name: "tokens" });
    await plain.put(["a", "b"].map((key) => ({ key, doc: { uid: "u", ts: 1 } })));
    const unique = { name: "tokens", indexes: { byUid: { fields: ["uid"], unique: true } } };
    await assert.rejects(engine.store.documents().collection(unique), codeOf("duplicate_key"));
    assert.equal(keys(await plain.find({ limit: 9 })).length, 2);
  });

  test("what is stored tells its definitions, by which it can be made again elsewhere", async (t) => {
    const engine = await open(t);
    const documents = engine.store.documents();
    assert.deepEqual(await documents.definitions(), []);
    await documents.collection(definition);
    await documents.collection({ name: "c_tokens_2", indexes: { plain: { fields: ["a.b_c.d"] } } });
    await documents.collection({ name: "empty" });
    const stored = [
      { name: "c_tokens_2", indexes: { plain: ["a.b_c.d"] } },
      { name: "empty", indexes: {} },
      definition,
    ];
    assert.deepEqual(await documents.definitions(), stored);
    const reopened = (await engine.reopen()).documents();
    for (const each of stored) await reopened.collection(each);
    assert.deepEqual(await reopened.definitions(), stored);
    await reopened.collection({ name: "tokens", indexes: { byUid: ["uid"] } });
    assert.deepEqual((await reopened.definitions())[2]?.indexes?.byUid, ["uid"]);
  });

  test("a wrong definition is a mistake that is told", async (t) => {
    const documents = (await open(t)).store.documents();
    for (const name of ["", "meta", "messages", "Tokens", "a b", 'a"b', "a.b", "1a", "x".repeat(64)]) {
      await assert.rejects(documents.collection({ name }), TypeError);
    }
    for (const fields of [[], ["a b"], ["'"], ["a..b"], ["$a"], ["a", "a"]]) {
      await assert.rejects(documents.collection({ name: "c", indexes: { i: fields } }), TypeError);
    }
    await assert.rejects(documents.collection({ name: "c", indexes: { 'i"': ["a"] } }), TypeError);
  });
}
