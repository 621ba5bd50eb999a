// A copied store holds the same, however often the copy was killed; what must not be copied is refused and not touched.
import assert from "node:assert/strict";
import { cp, readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { entry, neighboursOf, partitionOf } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";
import { freshFolder } from "../sqlite/open-engine.ts";
import type { Store } from "../store.ts";
import type { StoreErrorCode } from "../store-error.ts";
import { type CopyOptions, type CopyProgress, copyStore } from "./copy-store.ts";
import { killCopyAt, refusal } from "./copying.ts";
import { fillStore, members, retained } from "./filled-store.ts";

const copy = (from: string, to: string, progress: CopyOptions["progress"] = () => {}) =>
  copyStore({ from: `sqlite:${from}`, to: `sqlite:${to}`, partitions: 256, progress });

async function open(t: TestContext, folder: string, service = "history"): Promise<Store> {
  const store = await openStore(`sqlite:${folder}`, { service, lockWaitMs: 0 });
  t.after(() => store.close());
  return store;
}

async function bothFolders(t: TestContext): Promise<[from: string, to: string]> {
  const folder = await freshFolder(t);
  await fillStore(`sqlite:${join(folder, "from")}`);
  return [join(folder, "from"), join(folder, "to")];
}

test("a copy holds everything, a retained log included, and goes on where the source ended", async (t) => {
  const [from, to] = await bothFolders(t);
  const told: CopyProgress[] = [];
  const result = await copy(from, to, (progress) => told.push(progress));
  assert.deepEqual(result.differences, []);
  assert.deepEqual([result.services, result.documents, result.resumed], [["api", "history"], 702, false]);
  const ends = ["copy", "compare"].map((step) => told.findLast((each) => each.step === step)!);
  for (const end of ends) assert.deepEqual([end.entries, end.documents], [result.entries, 702]);
  const [left, right] = [await open(t, from), await open(t, to)];
  assert.deepEqual(await right.facts(), { conversationPartitions: 256 });
  assert.deepEqual((await right.documents().definitions()).slice(0, 2), await left.documents().definitions());
  const q = partitionOf(retained);
  assert.deepEqual(await right.log().follow(q, 0, 9), await left.log().follow(q, 0, 9));
  assert.equal(await right.log().first(retained), 31);
  await right.log().append(q, [entry(retained, 32, 33)]);
  const kept = await right.documents().collection<object>(members);
  assert.equal((await kept.find({ index: "by_uid", equals: ["u3"], limit: 500 })).items.length, 78);
  assert.equal(await kept.insert("another", { name: "one" }), false);
});

test("a copy that is killed again and again goes on, doubles nothing and skips nothing", async (t) => {
  const [from, to] = await bothFolders(t);
  for (const end of ["copy", "copy 400", "copy 900", "copy 300", "compare"]) {
    await killCopyAt(t, `sqlite:${from}`, `sqlite:${to}`, end);
    await assert.rejects(open(t, to), refusal("corrupt", /copy of sqlite:.*from into this store is not finished/));
  }
  const told: CopyProgress[] = [];
  const result = await copy(from, to, (progress) => told.push(progress));
  assert.deepEqual([result.differences, result.resumed], [[], true]);
  assert.equal(told.findLast(({ step }) => step === "copy")!.entries, 0, "all entries were there");
  await (await open(t, to)).close();
});

test("a source that was used between two runs of one copy is copied as it is now", async (t) => {
  const [from, to] = await bothFolders(t);
  await assert.rejects(
    copy(from, to, ({ step, documents }) => {
      if (step === "compare" && documents > 0) throw new Error("ended");
    }),
    /ended/,
  );
  const source = await open(t, from);
  const kept = await source.documents().collection<object>(members);
  await kept.put([
    { key: "named", doc: { name: "two" } },
    { key: "new", doc: { name: "one" } },
  ]);
  await kept.remove(`room/r5 ü😀"'`);
  await source.log().append(partitionOf(retained), [entry(retained, 32, 33)]);
  await source.close();
  const result = await copy(from, to);
  assert.deepEqual([result.differences, result.documents], [[], 702]);
  assert.equal((await (await open(t, to)).log().heads([retained])).get(retained)?.seq, 32);
});

test("a difference is found, in an entry's body or in a document, and the copy stays unfinished", async (t) => {
  const [from, to] = await bothFolders(t);
  const changed = (file: string, sql: string) => {
    const database = new DatabaseSync(join(to, "history", file));
    database.exec(sql);
    database.close();
  };
  await assert.rejects(copy(from, to, stopAtCompare));
  changed("log.db", "UPDATE entries SET body = x'00' WHERE conv = 'room/c1' AND seq = 7");
  const { differences } = await copy(from, to);
  assert.deepEqual(
    differences.map(({ service, of, from: left, to: right }) => [service, of, left.count === right.count]),
    [["history", `partition ${partitionOf("room/c1")}`, true]],
  );
  await assert.rejects(open(t, to), refusal("corrupt", /not finished/));
  changed("log.db", "DELETE FROM entries WHERE conv = 'room/c1'");
  assert.deepEqual((await copy(from, to)).differences, []);
});

const stopAtCompare = ({ step }: CopyProgress) => {
  if (step === "compare") throw new Error("ended");
};

/** Every file below, with its bytes. */
async function contentOf(folder: string): Promise<Map<string, string>> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
  return new Map(await Promise.all(paths.map(async (path) => [path, await readFile(path, "base64")] as const)));
}

test("what must not be copied is refused in one line, and nothing is touched", async (t) => {
  const [from, to] = await bothFolders(t);
  const folder = join(from, "..");
  const at = (name: string) => join(folder, name);
  await symlink(from, at("same"));
  await fillStore(`sqlite:${at("taken")}`, 20);
  await cp(from, at("newer"), { recursive: true });
  const database = new DatabaseSync(join(at("newer"), "api", "documents.db"));
  database.exec("UPDATE meta SET value = 99 WHERE name = 'version'");
  database.close();
  await cp(from, at("foreign"), { recursive: true });
  await cp(join(from, "history", "log.db"), join(at("foreign"), "api", "documents.db"));
  const before = await contentOf(folder);
  const cases: [from: string, to: string, code: StoreErrorCode, message: RegExp][] = [
    [from, from, "invalid_url", /the same store/],
    [from, at("same"), "invalid_url", /the same store/],
    [at("missing"), to, "invalid_url", /FROM: .* holds no store/],
    [join(from, "history"), to, "invalid_url", /FROM: .* holds no store/],
    [join(from, "history", "log.db"), to, "unavailable", /FROM: .*log\.db: it cannot be read/],
    [from, join(from, "history", "log.db"), "unavailable", /TO: .*log\.db: it cannot be read/],
    [from, at("taken"), "duplicate_key", /TO: it holds data of api already/],
    [at("newer"), to, "newer_version", /FROM: .*documents\.db: written by a newer Parley/],
    [from, at("newer"), "newer_version", /TO: .*documents\.db: written by a newer Parley/],
    [at("foreign"), to, "corrupt", /FROM: .*api\/documents\.db: it is a database, but not/],
  ];
  const other = copyStore({ from: `sqlite:${from}`, to: `sqlite:${to}`, partitions: 128 });
  await assert.rejects(other, refusal("mismatch", /^FROM: history was written with conversationPartitions 256/));
  for (const [source, target, code, message] of cases)
    await assert.rejects(copy(source, target), refusal(code, message));
  for (const url of ["", "history", "mysql://u:secret@h/d", "sqlite:"]) {
    const right = `sqlite:${to}`;
    await assert.rejects(
      copyStore({ from: url, to: right, partitions: 256 }),
      refusal("invalid_url", /^FROM: (?!.*STORE_URL)/),
    );
    await assert.rejects(
      copyStore({ from: `sqlite:${from}`, to: url, partitions: 256 }),
      refusal("invalid_url", /^TO: (?!.*STORE_URL)/),
    );
  }
  assert.deepEqual(await contentOf(folder), before);
});

test("a store that is in use is refused, on either side", async (t) => {
  const [from, to] = await bothFolders(t);
  const used = await open(t, from);
  await assert.rejects(
    copy(from, to),
    refusal("locked", /^FROM: .*history\/log\.db: a running Parley.* stop that first$/),
  );
  await used.close();
  await (await open(t, to)).close();
  const target = await open(t, to);
  await assert.rejects(copy(from, to), refusal("locked", /^TO: .*history\/log\.db: a running Parley/));
  await target.close();
  assert.deepEqual((await copy(from, to)).differences, [], "an empty store may be there");
});

test("a target that holds another copy, or a finished one, is refused", async (t) => {
  const [from, to] = await bothFolders(t);
  const other = join(from, "..", "other");
  await cp(from, other, { recursive: true });
  await assert.rejects(copy(from, to, stopAtCompare));
  await assert.rejects(copy(other, to), refusal("duplicate_key", /^TO: it holds a copy of sqlite:.*\/from;/));
  await copy(from, to);
  const before = await contentOf(to);
  await assert.rejects(copy(from, to), refusal("duplicate_key", /^TO: it holds a finished copy of FROM/));
  assert.deepEqual(await contentOf(to), before);
});

test("a copy can be copied on", async (t) => {
  const [from, to] = await bothFolders(t);
  await copy(from, to);
  const third = join(from, "..", "third");
  await assert.rejects(copy(to, third, stopAtCompare), /ended/);
  await assert.rejects(open(t, third), refusal("corrupt", /copy of sqlite:.*\/to into this store is not finished/));
  assert.deepEqual((await copy(to, third)).differences, []);
  const [other] = neighboursOf(retained, 1) as [string];
  assert.equal((await (await open(t, third)).log().heads([other])).get(other)?.origin, "api");
});
