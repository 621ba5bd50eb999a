import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@parley/protocol";
import { stretchesOf, syncAll } from "./sync.ts";

// A server with two messages a conversation and page, and two conversations a page.
function serverOf(lengths: Record<string, number>) {
  const requests: string[] = [];
  const cursors: Record<string, number> = {};
  return {
    requests,
    cursors: () => ({ ...cursors }),
    apply: ({ conv, messages }: { conv: string; messages: readonly Message[] }) => {
      cursors[conv] = messages.at(-1)?.seq ?? cursors[conv] ?? 0;
    },
    async ask({ cursors: has = {}, page = "0" }: { cursors?: Record<string, number>; page?: string }) {
      requests.push(`${JSON.stringify(has)} ${page}`);
      const behind = Object.entries(lengths).filter(([conv, length]) => (has[conv] ?? 0) < length);
      const from = Number(page);
      const conversations = behind.slice(from, from + 2).map(([conv, length]) => {
        const after = has[conv] ?? 0;
        const upTo = Math.min(length, after + 2);
        const messages = Array.from({ length: upTo - after }, (_, n) => ({ conv, seq: after + n + 1 }) as Message);
        return {
          conv,
          messages,
          firstSeq: 1,
          lastSeq: length,
          readSeq: 0,
          unread: 0,
          receipts: [],
          more: upTo < length,
        };
      });
      return { conversations, next: from + 2 < behind.length ? String(from + 2) : null };
    },
  };
}

test("sync asks until no page is next and no conversation has more", async () => {
  const server = serverOf({ a: 5, b: 1, c: 3 });
  await syncAll(server);
  assert.deepEqual(server.cursors(), { a: 5, b: 1, c: 3 });
  assert.deepEqual(server.requests, ["{} 0", "{} 2", '{"a":2,"b":1,"c":2} 0', '{"a":4,"b":1,"c":3} 0']);
});

test("the next page is asked for before this one is shown", async () => {
  const server = serverOf({ a: 1, b: 1, c: 1, d: 1 });
  const asked: Record<string, number> = {};
  await syncAll({
    ...server,
    apply: (conversation) => {
      asked[conversation.conv] = server.requests.length;
      server.apply(conversation);
    },
  });
  assert.deepEqual(asked, { a: 2, b: 2, c: 2, d: 2 });
});

test("a page that cannot be had is the end of it, after what was asked for before it has been shown", async () => {
  const server = serverOf({ a: 1, b: 1, c: 1 });
  const ask = (params: { page?: string }) =>
    params.page === undefined ? server.ask(params) : Promise.reject(new Error("no answer"));
  await assert.rejects(syncAll({ ...server, ask }), /no answer/);
  assert.deepEqual(server.cursors(), { a: 1, b: 1 });
});

test("nothing lacking is one request", async () => {
  const server = serverOf({});
  await syncAll(server);
  assert.equal(server.requests.length, 1);
});

test("a conversation that has more but shows nothing does not go round for ever", async () => {
  let asked = 0;
  const nothing = { conv: "a", messages: [], firstSeq: 1, lastSeq: 9, readSeq: 0, unread: 0, receipts: [], more: true };
  await syncAll({
    cursors: () => ({}),
    apply() {},
    async ask() {
      asked += 1;
      assert.ok(asked < 10);
      return { conversations: [nothing], next: null };
    },
  });
  assert.equal(asked, 1);
});

// As history does: conversations by name, `page` is the last one looked at, a conversation without a cursor from its start.
function serverByName(lengths: Map<string, number>, perPage: number) {
  const names = [...lengths.keys()].sort();
  return async ({ cursors = {}, page = "" }: { cursors?: Record<string, number>; page?: string }) => {
    if (Object.keys(cursors).length > 10_000) throw new Error("more cursors than a request may have");
    const behind = names.filter((conv) => conv > page && (cursors[conv] ?? 0) < (lengths.get(conv) ?? 0));
    const some = behind.slice(0, perPage);
    const conversations = some.map((conv) => {
      const messages: Message[] = [];
      for (let seq = (cursors[conv] ?? 0) + 1; seq <= (lengths.get(conv) ?? 0); seq += 1)
        messages.push({ conv, seq } as Message);
      return { conv, messages, firstSeq: 1, lastSeq: 1, readSeq: 0, unread: 0, receipts: [], more: false };
    });
    return { conversations, next: behind.length > some.length ? (some.at(-1) ?? null) : null };
  };
}

test("a device that knows 25,000 conversations is given what is new in them, old and new ones, and nothing twice", async () => {
  const name = (n: number) => `room/${String(n).padStart(5, "0")}`;
  const lengths = new Map(Array.from({ length: 25_000 }, (_, n) => [name(n), 3]));
  const cursors: Record<string, number> = {};
  for (let n = 0; n < 25_000; n += 1) if (n % 1_000 !== 0) cursors[name(n)] = n % 500 === 0 ? 1 : 3;
  const shown: string[] = [];
  await syncAll({
    ask: serverByName(lengths, 7),
    cursors: () => cursors,
    apply: ({ messages }) => {
      for (const { conv, seq } of messages) {
        shown.push(`${conv} ${seq}`);
        cursors[conv] = seq;
      }
    },
  });
  assert.equal(shown.length, 25 * 3 + 25 * 2);
  assert.equal(new Set(shown).size, shown.length);
});

test("cursors are handed over in stretches that a request can carry", () => {
  assert.deepEqual(stretchesOf({}), [{ cursors: {} }]);
  assert.deepEqual(stretchesOf({ b: 1, a: 2 }), [{ cursors: { a: 2, b: 1 } }]);
  const many = Object.fromEntries(Array.from({ length: 9_000 }, (_, n) => [`${n}`.padStart(140, "r"), n]));
  const stretches = stretchesOf(many);
  assert.deepEqual(Object.assign({}, ...stretches.map(({ cursors }) => cursors)), many);
  for (const { cursors } of stretches) assert.ok(JSON.stringify(cursors).length < 450 * 1024);
  assert.deepEqual(
    stretches.slice(1).map(({ after }) => after),
    stretches.slice(0, -1).map(({ upTo }) => upTo),
  );
});

test("on return the marks are asked for, once: of all conversations, or of those that moved since", async () => {
  for (const marks of ["all", { since: 7 }] as const) {
    const asked: unknown[] = [];
    const { ask, ...server } = serverOf({ a: 5 });
    const { at } = await syncAll({
      ...server,
      marks,
      ask: async (params) => {
        asked.push(params.all ?? params.since);
        return { ...(await ask(params)), at: 40 + asked.length };
      },
    });
    assert.deepEqual(asked, [marks === "all" ? true : 7, undefined, undefined]);
    assert.equal(at, 41, "what moves while it runs is asked for again");
  }
});
