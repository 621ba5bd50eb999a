import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredEntry } from "@parley/protocol";
import { copyFor, readLeaving, refersTo } from "./copy.ts";

function leaving(body: string, more: Partial<StoredEntry> = {}) {
  const { content } = JSON.parse(body);
  const names = { pos: 1, conv: "room/out", seq: 7, from: "ann", device: "ann:a", ts: 5, memberSeq: 1 };
  return readLeaving({ ...names, type: content.type, onward: { rooms: ["in"] }, ...more, body: Buffer.from(body) });
}

function copied(body: string, more: Partial<StoredEntry> = {}, places: (number | null)[] = []) {
  const item = copyFor(leaving(body, more), "in", places);
  return item && { ...item, body: Buffer.from(item.body).toString() };
}

const via = [{ id: "out", seq: 7 }];

test("a copy has the sender's device and id, numbers as they were written, the other room as `to`, and the way it came", () => {
  const body = '{"id":"m1","to":"room/out","prev":"m0","content":{"type":"x-a","n":9007199254740993,"m":1.0}}';
  assert.deepEqual(copied(body), {
    ...{ conv: "room/in", from: "ann", device: "ann:a", id: "m1", type: "x-a", origin: "nested", via },
    body: '{"id":"m1","to":"room/in","content":{"type":"x-a","n":9007199254740993,"m":1.0},"via":[{"id":"out","seq":7}]}',
  });
});

test("of a copy of a copy the way goes on; what says so of itself and is none is believed nothing", () => {
  const body = '{"id":"m1","to":"room/out","content":{"type":"text"},"via":[{"id":"first","seq":2}]}';
  assert.deepEqual(copied(body, { origin: "nested" })?.via, [{ id: "first", seq: 2 }, ...via]);
  assert.deepEqual(copied(body, { origin: "api" })?.via, via);
});

test("what is about another message names its place there, and is no copy where there is none", () => {
  const body = '{"id":"m2","to":"room/out","content":{"type":"edit","seq":3,"data":"new"}}';
  assert.deepEqual(refersTo(leaving(body)), [3]);
  assert.equal(JSON.parse(copied(body, {}, [11])?.body ?? "").content.seq, 11);
  assert.equal(copied(body, {}, [null]), undefined);
});

test("an answer and a message of a thread name the places there, or are said without", () => {
  const body = '{"id":"m3","to":"room/out","reply":3,"thread":2,"content":{"type":"text"}}';
  assert.deepEqual(refersTo(leaving(body)), [3, 2]);
  const { reply, thread, body: made = "" } = copied(body, {}, [11, 12]) ?? {};
  assert.deepEqual([reply, thread, JSON.parse(made).reply, JSON.parse(made).thread], [11, 12, 11, 12]);
  const without = copied(body, {}, [null, 12]);
  assert.deepEqual([without?.reply, without?.thread], [undefined, 12]);
  assert.equal("reply" in JSON.parse(without?.body ?? ""), false);
  const inThread = copied('{"id":"m4","to":"room/out","thread":2,"content":{"type":"text"}}', {}, [12]);
  assert.deepEqual([inThread?.reply, inThread?.thread], [undefined, 12]);
});

test("mentions of all are dropped, those of users stay; files, times and secret votes go along", () => {
  const mentions = copied('{"id":"m","to":"room/out","content":{"type":"text","mentions":["@all","@bob"]}}');
  assert.deepEqual(mentions?.mentions, { uids: ["bob"], all: false });
  assert.deepEqual(JSON.parse(mentions?.body ?? "").content.mentions, ["@bob"]);
  const all = copied('{"id":"m","to":"room/out","content":{"type":"text","mentions":["@all"]}}');
  assert.equal(all?.mentions, undefined);
  const file = `f-${"a".repeat(32)}`;
  assert.equal(copied(`{"id":"m","to":"room/out","content":{"type":"file","file":"${file}"}}`)?.file, file);
  const text = '{"id":"m","to":"room/out","content":{"type":"text"}}';
  assert.equal(copied(text, { expiresAt: 99 })?.expiresAt, 99);
  const read = copied(text, { onward: { rooms: ["in"], expiresAfterRead: 60 } });
  assert.deepEqual(read?.expires, { seconds: 60, from: "read" });
  const vote = '{"id":"m","to":"room/out","content":{"type":"vote","seq":3}}';
  const secret = copied(vote, { onward: { rooms: ["in"], options: [1] } }, [4]);
  assert.deepEqual(JSON.parse(secret?.body ?? "").content, { type: "vote", seq: 4, options: [1] });
});
