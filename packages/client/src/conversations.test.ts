import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Message } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { type CachedConversation, type CacheStore, storageCache } from "./cache-store.ts";
import { startConversations } from "./conversations.ts";
import { fileCache } from "./file-cache.ts";
import { storageOf } from "./storage-of.ts";

const message = (seq: number, conv = "room/r1"): Message => ({
  conv,
  seq,
  from: "alice",
  device: "alice:web",
  ts: 1,
  id: `m${seq}`,
  to: "room/r1",
  content: { type: "text" },
});
const synced = {
  conv: "room/r1",
  messages: [],
  firstSeq: 1,
  lastSeq: 9,
  readSeq: 4,
  unread: 5,
  receipts: [],
  more: false,
};

function memoryCache(): CacheStore & { writes: number; kept: Map<string, CachedConversation> } {
  const kept = new Map<string, CachedConversation>();
  return {
    kept,
    writes: 0,
    load: async () => [...kept.values()],
    async put(conversation) {
      this.writes += 1;
      kept.set(conversation.conv, structuredClone(conversation));
    },
  };
}

test("what was shown, synced and marked is there again at the next start", async () => {
  const store = memoryCache();
  const conversations = startConversations({ store });
  conversations.shown(message(1));
  conversations.shown(message(2));
  conversations.synced(synced, 8);
  conversations.marked("room/r1", { read: 2 });
  await conversations.close();
  const [kept] = startConversations({ store, kept: await store.load() }).list();
  const { messages: _, more: _more, ...state } = synced;
  assert.deepEqual(kept, { conv: "room/r1", cursor: 8, messages: [message(1), message(2)], state, marks: { read: 2 } });
});

test("the newest messages are kept, and many changes are one write", async () => {
  const store = memoryCache();
  const conversations = startConversations({ store, messages: 3, keepAfterMs: 5 });
  for (let seq = 1; seq <= 100; seq += 1) conversations.shown(message(seq));
  await eventually(() => store.writes > 0);
  assert.equal(store.writes, 1);
  assert.deepEqual(
    store.kept.get("room/r1")?.messages.map(({ seq }) => seq),
    [98, 99, 100],
  );
});

test("a cache that cannot be written, or holds junk, costs a sync and nothing else", async () => {
  const junk = [{ conv: "room/r1" }, { conv: 1, cursor: 1, messages: [] }] as unknown as CachedConversation[];
  const store: CacheStore = { load: async () => [], put: () => Promise.reject(new Error("disk full")) };
  const conversations = startConversations({ store, kept: junk });
  assert.deepEqual(conversations.list(), []);
  conversations.shown(message(1));
  await conversations.close();
  assert.equal(conversations.find("room/r1")?.cursor, 1);
});

test("a file and localStorage keep each conversation as it was put last", async (t) => {
  const path = await cacheFile(t);
  const storage = storageOf();
  for (const open of [() => fileCache(path), () => storageCache(storage, "x")]) {
    const cache = open();
    await cache.load();
    await cache.put({ conv: "room/r1", cursor: 1, messages: [message(1)] });
    await cache.put({ conv: "room/r2", cursor: 7, messages: [] });
    await cache.put({ conv: "room/r1", cursor: 2, messages: [message(2)] });
    const again = await open().load();
    assert.deepEqual(again.map(({ conv, cursor }) => `${conv} ${cursor}`).sort(), ["room/r1 2", "room/r2 7"]);
  }
  assert.deepEqual(await storageCache(storage, "y").load(), []);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

async function cacheFile(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-cache-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "cache.jsonl");
}
