// Topics of guests and the rooms that they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isUnderPrefix, roomOfTopic, topicOfRoom } from "./guest-topics.ts";

const pairs: [topic: string, room: string][] = [
  ["chat", "chat"],
  ["test/", "test.2F"],
  ["chat/a.b", "chat.2Fa.2Eb"],
  ["chat/Чат", "chat.2F.D0.A7.D0.B0.D1.82"],
  ["a_b-c@d", "a_b-c@d"],
];

for (const [topic, room] of pairs)
  test(`the topic ${topic} is the room ${room}, and the room the topic`, () => {
    assert.equal(roomOfTopic(topic), room);
    assert.equal(topicOfRoom(room), topic);
  });

test("ids that spell no topic are none: other escapes, half characters, wildcards, what could be written otherwise", () => {
  for (const room of ["team.dev", "a.2f", ".D0", "a.23", ".2B", ".00", "a.", "a.61"])
    assert.equal(topicOfRoom(room), undefined, room);
  assert.equal(roomOfTopic("x".repeat(129)), undefined);
  assert.equal(roomOfTopic(""), undefined);
});

test("a prefix goes by levels, and is never a native topic, one with a dollar or a filter", () => {
  for (const topic of ["chat", "chat/", "chat/a/b"]) assert.ok(isUnderPrefix(topic, "chat"), topic);
  for (const topic of ["chatter", "cha", "", "chat/+", "chat/#"]) assert.ok(!isUnderPrefix(topic, "chat"), topic);
  assert.ok(isUnderPrefix("test/", "test/") && isUnderPrefix("test/a", "test/") && !isUnderPrefix("test", "test/"));
  assert.ok(isUnderPrefix("anything", ""));
  for (const topic of ["im/m/alice", "$SYS/x", "$IM/user/a", "#"]) assert.ok(!isUnderPrefix(topic, ""), topic);
});
