// Files and URLs that are not as they should be: one clear error, nothing lost.
import assert from "node:assert/strict";
import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { append, entries } from "../conformance/entries.ts";
import { openStore } from "../open-store.ts";
import { StoreError, type StoreErrorCode } from "../store-error.ts";
import { freshFolder } from "./open-engine.ts";

const open = (folder: string) => openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0 });

function refusal(code: StoreErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };
}

async function storeWithEntries(folder: string): Promise<string> {
  const store = await open(folder);
  await append(store.log(), entries("room/r1", 1, 500));
  await store.documents().collection({ name: "members" });
  await store.close();
  return join(folder, "history", "log.db");
}

for (const url of [
  "",
  "history",
  "mysql://u:secret@h/d",
  "mongodb:u:secret@h/d",
  "mongodb://u:secret@",
  "mongodb://u:secret@h:x/d",
  "sqlite:",
  "sqlite",
]) {
  test(`the URL ${JSON.stringify(url)} is refused without showing a password`, async () => {
    await assert.rejects(openStore(url, { service: "history" }), (error) => {
      assert.doesNotMatch(String(error), /secret/);
      return refusal("invalid_url", /^STORE_URL: (?!.*STORE_URL)/)(error);
    });
  });
}

test("nobody but their owner may read the files, whatever the umask is", async (t) => {
  const before = process.umask(0);
  t.after(() => process.umask(before));
  const folder = await freshFolder(t);
  const store = await open(folder);
  t.after(() => store.close());
  await append(store.log(), entries("room/r1", 1, 5));
  await store.documents().collection({ name: "members" });
  const files = await readdir(join(folder, "history"));
  assert.ok(files.includes("log.db-wal") && files.includes("documents.db"), files.join());
  for (const file of files) assert.equal((await stat(join(folder, "history", file))).mode & 0o777, 0o600, file);
});

test("the files and the folder of an earlier Parley, which anybody could read, are their owner's alone once they are opened", async (t) => {
  const folder = await freshFolder(t);
  const inside = join(folder, "history");
  await storeWithEntries(folder);
  // What a process that was killed leaves behind has its write-ahead log, too.
  const left = await open(folder);
  await append(left.log(), entries("room/r1", 501, 5));
  await cp(inside, join(folder, "killed"), { recursive: true });
  await left.close();
  await rm(inside, { recursive: true });
  await rename(join(folder, "killed"), inside);
  await writeFile(join(inside, "log.db-shm"), "");
  const before = await readdir(inside);
  assert.ok(before.includes("log.db-wal"), before.join());
  for (const file of before) await chmod(join(inside, file), 0o644);
  await chmod(inside, 0o755);
  const store = await open(folder);
  t.after(() => store.close());
  await store.documents().collection({ name: "members" });
  assert.equal((await store.log().range("room/r1", { after: 500, limit: 9 })).length, 5);
  for (const file of await readdir(inside)) assert.equal((await stat(join(inside, file))).mode & 0o777, 0o600, file);
  assert.equal((await stat(inside)).mode & 0o777, 0o700);
});

test("a service's name cannot leave the folder", async (t) => {
  const folder = await freshFolder(t);
  for (const service of ["", "..", "a/b", "A"])
    await assert.rejects(openStore(`sqlite:${folder}`, { service }), TypeError);
});

test("sqlite: takes a path with or without slashes before it", async (t) => {
  const folder = await freshFolder(t);
  await storeWithEntries(folder);
  const store = await openStore(`sqlite://${folder}`, { service: "history", lockWaitMs: 0 });
  assert.equal(await store.log().first("room/r1"), 1);
  await store.close();
});

test("a file that is not a database is named, and left as it is", async (t) => {
  const folder = await freshFolder(t);
  const path = join(folder, "history", "log.db");
  await mkdir(join(folder, "history"));
  await writeFile(path, "this is not a database ".repeat(100));
  await assert.rejects(open(folder), refusal("corrupt", /history\/log\.db: it is not a database/));
  assert.match(await readFile(path, "utf8"), /^this is not a database/);
});

test("a half-written file is named", async (t) => {
  const folder = await freshFolder(t);
  const path = await storeWithEntries(folder);
  await truncate(path, 10_000);
  await assert.rejects(open(folder), refusal("corrupt", /history\/log\.db: it is damaged/));
});

test("a damaged page is found at the latest when it is read, and named", async (t) => {
  const folder = await freshFolder(t);
  const path = await storeWithEntries(folder);
  const bytes = await readFile(path);
  bytes.fill(0xaa, 4 * 4096);
  await writeFile(path, bytes);
  const read = async () => {
    const store = await open(folder);
    t.after(() => store.close());
    await store.log().range("room/r1", { after: 0, limit: 500 });
  };
  await assert.rejects(read, refusal("corrupt", /history\/log\.db/));
});

test("a database of somebody else's, or of the other port, is refused", async (t) => {
  const folder = await freshFolder(t);
  const path = await storeWithEntries(folder);
  await writeFile(join(folder, "history", "documents.db"), await readFile(path));
  await assert.rejects(open(folder), refusal("corrupt", /documents\.db: it is a database, but not a documents of/));
  const foreign = await freshFolder(t);
  await mkdir(join(foreign, "history"));
  const database = new DatabaseSync(join(foreign, "history", "log.db"));
  database.exec("CREATE TABLE mine (x)");
  database.close();
  await assert.rejects(open(foreign), refusal("corrupt", /log\.db: it is a database, but not/));
});

test("a store of a newer version is refused and not touched", async (t) => {
  const folder = await freshFolder(t);
  const path = await storeWithEntries(folder);
  const database = new DatabaseSync(path);
  database.exec("UPDATE meta SET value = 99 WHERE name = 'version'");
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  database.close();
  const before = await readFile(path);
  await assert.rejects(
    open(folder),
    refusal("newer_version", /history\/log\.db: written by a newer Parley \(schema 99/),
  );
  assert.deepEqual(await readFile(path), before);
});

test("a store written with another constant is refused and not touched; a new constant is added", async (t) => {
  const folder = await freshFolder(t);
  const openWith = (facts: Record<string, number>) =>
    openStore(`sqlite:${folder}`, { service: "history", lockWaitMs: 0, facts });
  await (await openWith({ conversationPartitions: 256 })).close();
  const path = join(folder, "history", "log.db");
  const before = await readFile(path);
  await assert.rejects(
    openWith({ conversationPartitions: 128, other: 1 }),
    refusal("mismatch", /log\.db: written with conversationPartitions 256, this Parley has 128/),
  );
  assert.deepEqual(await readFile(path), before);
  const store = await openWith({ other: 2 });
  assert.deepEqual(await store.facts(), { conversationPartitions: 256, other: 2 });
  await store.close();
});

test("a folder that cannot be made is named", async (t) => {
  const folder = await freshFolder(t);
  await writeFile(join(folder, "history"), "a file is in the way");
  await assert.rejects(open(folder), refusal("unavailable", /history\/log\.db/));
});

test("a closed store answers unavailable, and what was asked for before is stored", async (t) => {
  const folder = await freshFolder(t);
  const store = await open(folder);
  const members = await store.documents().collection({ name: "members" });
  const waiting = append(store.log(), entries("room/r1", 1, 3));
  await store.close();
  await waiting;
  await assert.rejects(store.log().first("room/r1"), refusal("unavailable", /closed/));
  await assert.rejects(append(store.log(), entries("room/r1", 4, 1)), refusal("unavailable", /closed/));
  await assert.rejects(members.get("k"), refusal("unavailable", /closed/));
  const again = await open(folder);
  assert.equal((await again.log().range("room/r1", { limit: 9 })).length, 3);
  await again.close();
});
