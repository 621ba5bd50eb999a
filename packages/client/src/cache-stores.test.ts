// What every cache promises, on each engine. IndexedDB is an implementation in JavaScript here; `test/browser` has Chromium's.
import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Message } from "@parley/protocol";
import { type CachedConversation, type CacheStore, storageCache } from "./cache-store.ts";
import { fileCache } from "./file-cache.ts";
import { indexedCache } from "./indexed-cache.ts";
import { storageOf } from "./storage-of.ts";

const message = (seq: number) => ({ conv: "room/r1", seq, id: `m${seq}`, content: { type: "text" } }) as Message;
const of = (conv: string, cursor: number, ...seqs: number[]): CachedConversation => ({
  conv,
  cursor,
  messages: seqs.map(message),
});
const put = (cache: CacheStore, conversations: CachedConversation[], syncedAt?: number, mostMessages = 3) =>
  cache.put({ conversations, mostMessages, ...(syncedAt !== undefined && { syncedAt }) });
const lines = ({ conversations }: { conversations: CachedConversation[] }) =>
  conversations.map(({ conv, cursor, messages }) => `${conv} ${cursor}: ${messages.map(({ seq }) => seq)}`).sort();

let opened = 0;

/** Each answers how to open one and the same cache again, as another tab or a later start would. */
const engines = {
  async file(t: TestContext): Promise<() => CacheStore> {
    const path = await cacheFile(t);
    return () => fileCache(path);
  },
  async localStorage(_t: TestContext): Promise<() => CacheStore> {
    const storage = storageOf();
    return () => storageCache(storage, "x");
  },
  async IndexedDB(_t: TestContext): Promise<() => CacheStore> {
    opened += 1;
    const name = `cache-${opened}`;
    return () => indexedCache(name);
  },
};

for (const [name, engine] of Object.entries(engines))
  test(`${name} keeps each conversation and the moment of the sync as they were put last`, async (t) => {
    const open = await engine(t);
    const cache = open();
    assert.deepEqual(await cache.load(), { conversations: [] });
    await put(cache, [of("room/r1", 1, 1), of("room/r2", 7)], 70);
    await put(cache, [of("room/r1", 2, 1, 2)], 71);
    await put(cache, [of("room/r2", 8)]);
    const again = await open().load();
    assert.deepEqual(lines(again), ["room/r1 2: 1,2", "room/r2 8: "]);
    assert.equal(again.syncedAt, 71);
  });

for (const name of ["localStorage", "IndexedDB"] as const)
  test(`what two tabs put into ${name} at once is all kept, and the newer state of each conversation`, async (t) => {
    const open = await engines[name](t);
    const [one, other] = [open(), open()];
    const state = (unread: number) => ({ conv: "room/r1", unread }) as NonNullable<CachedConversation["state"]>;
    const a = { ...of("room/r1", 3, 1, 2, 3), state: state(1), stateAt: 9, marks: { read: 3, delivered: 3 } };
    const b = { ...of("room/r1", 5, 4, 5), state: state(2), stateAt: 8, marks: { read: 2, delivered: 5 } };
    await Promise.all([put(one, [a, of("room/a", 1)], 9), put(other, [b, of("room/b", 1)], 8)]);
    const kept = await open().load();
    assert.deepEqual(lines(kept), ["room/a 1: ", "room/b 1: ", "room/r1 5: 3,4,5"]);
    const { state: newest, stateAt, marks } = kept.conversations.find(({ conv }) => conv === "room/r1") ?? {};
    assert.deepEqual([newest, stateAt, marks], [state(1), 9, { read: 3, delivered: 5 }]);
    await Promise.all(
      Array.from({ length: 40 }, (_, n) => put(n % 2 === 0 ? one : other, [of(`room/n${n}`, n)], undefined)),
    );
    assert.equal((await one.load()).conversations.length, 43);
  });

test("a full localStorage keeps no moment of a sync without what it stands for", async () => {
  const storage = storageOf();
  const full = {
    ...storage,
    setItem(key: string, value: string) {
      if (key.endsWith("room/r2")) throw new DOMException("no room", "QuotaExceededError");
      storage.setItem(key, value);
    },
  };
  const changes = [of("room/r1", 1, 1), of("room/r2", 1, 1)];
  await assert.rejects(put(storageCache(full, "x"), changes, 70), { name: "QuotaExceededError" });
  assert.equal((await storageCache(storage, "x").load()).syncedAt, undefined);
});

test("IndexedDB keeps no moment of a sync without what it stands for", async () => {
  const cache = indexedCache("uncloneable");
  const broken = { ...of("room/r2", 1), messages: [{ seq: 1, conv: () => {} } as unknown as Message] };
  await assert.rejects(put(cache, [of("room/r1", 1), broken], 70), { name: "DataCloneError" });
  assert.equal((await cache.load()).syncedAt, undefined);
});

test("a refused IndexedDB is told as the browser says it, at once or later, and is asked again the next time", async (t) => {
  const open = indexedDB.open.bind(indexedDB);
  await new Promise((resolve) => {
    open("newer", 5).onsuccess = resolve;
  });
  const throwing = () => {
    throw new DOMException("not in private windows", "SecurityError");
  };
  const failing = () => open("newer", 1);
  for (const [name, refuse] of Object.entries({ SecurityError: throwing, VersionError: failing })) {
    const refusing = t.mock.method(indexedDB, "open", refuse);
    const cache = indexedCache(`refused ${name}`);
    await assert.rejects(cache.load(), { name });
    await assert.rejects(put(cache, [of("room/r1", 1)]), { name });
    refusing.mock.restore();
    await put(cache, [of("room/r1", 1)]);
    assert.deepEqual(lines(await cache.load()), ["room/r1 1: "]);
  }
});

test("a tab does not hold up one that deletes the database, and goes on with a new one", async () => {
  const cache = indexedCache("deleted");
  await put(cache, [of("room/r1", 1)], 70);
  const gone = Promise.withResolvers<unknown>();
  const request = indexedDB.deleteDatabase("parley/deleted");
  request.onsuccess = gone.resolve;
  request.onerror = gone.reject;
  await gone.promise;
  assert.deepEqual(await cache.load(), { conversations: [] });
  await put(cache, [of("room/r2", 1)]);
  assert.deepEqual(lines(await cache.load()), ["room/r2 1: "]);
});

test("a file that was cut short anywhere never has the moment of a sync without what it stands for", async (t) => {
  const path = await cacheFile(t);
  const cache = fileCache(path);
  await cache.load();
  await put(cache, [of("room/r1", 1, 1), of("room/r2", 1)], 70);
  const before = (await readFile(path)).byteLength;
  await put(cache, [of("room/r1", 2, 1, 2), of("room/r2", 2)], 71);
  const whole = await readFile(path);
  for (let size = before; size <= whole.byteLength; size += 1) {
    await writeFile(path, whole);
    await truncate(path, size);
    const { conversations, syncedAt } = await fileCache(path).load();
    assert.equal(syncedAt, size === whole.byteLength ? 71 : 70);
    if (syncedAt === 71) assert.ok(conversations.every(({ cursor }) => cursor === 2));
  }
});

test("a file with a damaged line within has no moment of a sync: what it lost is asked for again", async (t) => {
  const path = await cacheFile(t);
  await put(fileCache(path), [of("room/r1", 1, 1)], 70);
  await appendFile(path, '\0\0\0\n5\nnull\n{"put":null}\n');
  await appendFile(path, '{"put":{"conv":"","syncedAt":71}}\n');
  for (let start = 1; start <= 2; start += 1) {
    const cached = await fileCache(path).load();
    assert.deepEqual(lines(cached), ["room/r1 1: 1"]);
    assert.equal(cached.syncedAt, undefined, `start ${start}`);
  }
});

test("a cache file is its owner's alone, and other names in a localStorage are left alone", async (t) => {
  const path = await cacheFile(t);
  await put(fileCache(path), [of("room/r1", 1)]);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  const storage = storageOf(new Map([["parley-cache/x/room/r1", "{"]]));
  assert.deepEqual(await storageCache(storage, "x").load(), { conversations: [] });
  await put(storageCache(storage, "x"), [of("room/r1", 1)], 70);
  assert.deepEqual(await storageCache(storage, "y").load(), { conversations: [] });
});

async function cacheFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-cache-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "cache.jsonl");
}
