import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppError, Message } from "@parley/protocol";
import { eventually } from "@parley/testkit";
import { type CacheChanges, type CachedConversation, type CacheStore, mergeCached } from "./cache-store.ts";
import { startConversations } from "./conversations.ts";

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
    load: async () => ({ conversations: [...kept.values()] }),
    async put({ conversations }) {
      this.writes += 1;
      for (const conversation of conversations) kept.set(conversation.conv, structuredClone(conversation));
    },
  };
}

test("what was shown, synced and marked is there again at the next start", async () => {
  const store = memoryCache();
  const conversations = startConversations({ store });
  conversations.shown(message(1));
  conversations.shown(message(2));
  conversations.synced(synced, 8, 77);
  conversations.marked("room/r1", { read: 2 });
  await conversations.close();
  const [kept] = startConversations({ store, kept: (await store.load()).conversations }).list();
  const { messages: _, more: _more, ...state } = synced;
  const messages = [message(1), message(2)];
  assert.deepEqual(kept, { conv: "room/r1", cursor: 8, messages, state, stateAt: 77, marks: { read: 2 } });
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

test("junk in a cache costs a sync and nothing else", () => {
  const junk = [{ conv: "room/r1" }, { conv: 1, cursor: 1, messages: [] }, null] as unknown as CachedConversation[];
  assert.deepEqual(startConversations({ kept: junk }).list(), []);
});

test("a cache that refuses is told of once, and what it refused is put again, with the moment of the sync last", async () => {
  const puts: CacheChanges[] = [];
  let full = true;
  const store: CacheStore = {
    load: async () => ({ conversations: [] }),
    async put(changes) {
      puts.push(structuredClone(changes));
      if (full) throw new DOMException("no room", "QuotaExceededError");
    },
  };
  const told: AppError[] = [];
  const conversations = startConversations({ store, keepAfterMs: 1, onTrouble: (error) => told.push(error) });
  conversations.synced(synced, 8);
  conversations.syncedAll(77);
  await eventually(() => puts.length === 1);
  conversations.shown(message(9, "room/r2"));
  await eventually(() => puts.length === 2);
  assert.deepEqual(
    conversations
      .list()
      .map(({ conv }) => conv)
      .sort(),
    ["room/r1", "room/r2"],
  );
  assert.deepEqual(
    told.map(({ code, message, details }) => ({ code, message, details })),
    [
      {
        code: "unavailable",
        message: "the cache cannot be kept and is in memory only: QuotaExceededError: no room",
        details: { reason: "cache" },
      },
    ],
  );
  full = false;
  conversations.shown(message(10, "room/r2"));
  await conversations.close();
  const last = puts.at(-1);
  assert.deepEqual(last?.conversations.map(({ conv }) => conv).sort(), ["room/r1", "room/r2"]);
  assert.equal(last?.syncedAt, 77);
  full = true;
  conversations.shown(message(11, "room/r2"));
  await conversations.close();
  assert.equal(told.length, 2, "a later refusal is news again");
});

test("the moment of a sync is put with or after the conversations that it stands for, also behind a put that fails", async () => {
  const first = Promise.withResolvers<void>();
  const puts: CacheChanges[] = [];
  const store: CacheStore = {
    load: async () => ({ conversations: [] }),
    put(changes) {
      puts.push(structuredClone(changes));
      return puts.length === 1 ? first.promise : Promise.resolve();
    },
  };
  const conversations = startConversations({ store, keepAfterMs: 1 });
  conversations.synced(synced, 8);
  await eventually(() => puts.length === 1);
  conversations.syncedAll(77);
  const closed = conversations.close();
  first.reject(new Error("disk full"));
  await closed;
  assert.deepEqual(
    puts.map(({ conversations: some, syncedAt }) => [some.map(({ conv }) => conv), syncedAt]),
    [
      [["room/r1"], undefined],
      [["room/r1"], 77],
    ],
  );
});

test("what was taken back or has disappeared is forgotten with its edits, in memory and in the cache, at its time without a word", async () => {
  const store = memoryCache();
  const conversations = startConversations({ store });
  const secret = (seq: number, content: object, more: object = {}) =>
    ({ ...message(seq), ...more, content: { type: "text", data: "secret", ...content } }) as Message;
  conversations.shown(secret(1, { type: "text" }, { expiresAt: Date.now() }));
  conversations.shown(secret(2, { type: "edit", seq: 1 }));
  conversations.shown(secret(3, { type: "text" }));
  conversations.shown(secret(4, { type: "edit", seq: 3 }));
  conversations.shown(secret(5, { type: "recall", seq: 3, expired: true, data: "" }));
  conversations.shown({ ...secret(6, { type: "text" }), expiresAt: Date.now() + 3_600_000 });
  const [known] = conversations.list();
  assert.deepEqual(
    known?.messages.map(({ content }) => content.type),
    ["erased", "erased", "erased", "erased", "recall", "text"],
  );
  await conversations.close();
  assert.equal(JSON.stringify([...store.kept]).split("secret").length, 2, "one is left");

  // Another tab that was not told yet, and a start long after.
  const late = { conv: "room/r1", cursor: 6, messages: [secret(1, { type: "text" }, { expiresAt: Date.now() })] };
  const merged = mergeCached(store.kept.get("room/r1"), late, 50);
  assert.equal(merged.messages[0]?.content.type, "erased");
  assert.equal(startConversations({ kept: [late] }).find("room/r1")?.messages[0]?.content.type, "erased");
});

test("what a cache gives back that is no message is none, and what is said of others is kept all the same", async () => {
  const store = memoryCache();
  const junk = [null, { seq: 1 }, { seq: "2", content: { type: "text" } }, { seq: 3, content: "x", expiresAt: 1 }];
  const messages = [...junk, message(4)] as Message[];
  const conversations = startConversations({ store, kept: [{ conv: "room/r1", cursor: 4, messages }] });
  assert.deepEqual(conversations.find("room/r1")?.messages, [message(4)]);
  conversations.shown({ ...message(5), content: { type: "recall", seq: 4 } as Message["content"] });
  await conversations.close();
  const [kept] = store.kept.values();
  assert.deepEqual(
    kept?.messages.map(({ content }) => content.type),
    ["erased", "recall"],
  );
  const merged = mergeCached({ conv: "room/r1", cursor: 4, messages }, kept as CachedConversation, 50);
  assert.deepEqual(
    merged.messages.map(({ seq }) => seq),
    [4, 5],
  );
});
