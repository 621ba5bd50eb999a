import assert from "node:assert/strict";
import { test } from "node:test";
import { notificationId, tagOf, threadOf } from "./identity.ts";
import type { Notice } from "./notice.ts";

const message: Notice = {
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  conv: "p2p/alice/bob",
  seq: 12,
  id: "m12",
  from: { uid: "alice", name: "Alice" },
  content: { type: "text", data: "hi" },
  badge: 1,
  preview: "full",
  language: "en",
  at: 1_795_240_400_000,
  expiresAt: 1_795_326_800_000,
};
const { conv: _, seq: __, id: ___, content: ____, ...nowhere } = message;
const ringing: Notice = { ...message, kind: "call", content: { type: "call", media: "audio", call: "c-1" } };
const request: Notice = { ...nowhere, kind: "request" };

test("messages of one conversation, and what takes them away, have one tag: its thread", () => {
  const thread = threadOf(message);
  for (const notice of [message, { ...message, seq: 13, id: "m13" }, { ...message, kind: "read" as const }])
    assert.deepEqual([tagOf(notice), threadOf(notice)], [thread, thread]);
});

test("tags fit into each provider's: 32 characters of base64url at most, the thread's 22 in front", () => {
  for (const notice of [message, ringing, request, { ...message, kind: "invitation" as const }]) {
    assert.match(tagOf(notice), /^[\w-]{22}([\w-]{10})?$/);
    assert.ok(tagOf(notice).startsWith(threadOf(notice)));
  }
});

test("conversations, devices and users have threads of their own, which do not tell what they are of", () => {
  const others: Notice[] = [
    message,
    { ...message, conv: "p2p/bob/carol" },
    { ...message, clientId: "bob:tablet" },
    { ...message, uid: "carol" },
    request,
    { ...request, from: { uid: "carol", name: "Alice" } },
    { ...nowhere, kind: "test" },
  ];
  assert.equal(new Set(others.map(threadOf)).size, others.length);
});

test("a call and an invitation do not take the place of a conversation's messages, nor of other calls", () => {
  const tags = [
    tagOf(message),
    tagOf({ ...message, kind: "invitation" }),
    tagOf(ringing),
    tagOf({ ...ringing, content: { type: "call", call: "c-2" } }),
    tagOf({ ...ringing, content: { type: "call" } }),
    tagOf({ ...ringing, content: { type: "call" }, seq: 13 }),
  ];
  assert.equal(new Set(tags).size, tags.length);
});

test("the record of a call takes the place of the ringing, if both name the call", () => {
  const record = (call?: string): Notice => ({
    ...message,
    seq: 13,
    content: { type: "call", media: "audio", outcome: "missed", ...(call && { call }) },
  });
  assert.equal(tagOf(record("c-1")), tagOf(ringing));
  assert.equal(tagOf(record()), threadOf(message));
});

test("a notification has the same UUID each time that it is tried, and another has another", () => {
  assert.equal(notificationId({ ...message, badge: 9, language: "de" }, "t1"), notificationId(message, "t1"));
  const ids = [
    notificationId(message, "t1"),
    notificationId(message, "t2"),
    notificationId({ ...message, seq: 13 }, "t1"),
    notificationId({ ...message, conv: "room/tea" }, "t1"),
    notificationId({ ...message, kind: "read" }, "t1"),
    notificationId(request, "t1"),
    notificationId({ ...request, from: { uid: "carol", name: "Carol" } }, "t1"),
    notificationId({ ...request, at: request.at + 1 }, "t1"),
  ];
  assert.equal(new Set(ids).size, ids.length);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});
