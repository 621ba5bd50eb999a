import assert from "node:assert/strict";
import { test } from "node:test";
import { readAddress, readConv, readRoomId } from "./address.ts";
import { UsageError } from "./failure.ts";

test("a user and a room can be typed in short and in full", () => {
  assert.deepEqual(["bob", "user/bob", "#general", "room/general", "user/bob/client/bob:web"].map(readAddress), [
    "user/bob",
    "user/bob",
    "room/general",
    "room/general",
    "user/bob/client/bob:web",
  ]);
});

test("the conversation is the one with whom was typed", () => {
  assert.equal(readConv("alice", "bob"), "p2p/alice/bob");
  assert.equal(readConv("zoe", "user/bob"), "p2p/bob/zoe");
  assert.equal(readConv("alice", "#general"), "room/general");
  assert.equal(readConv("alice", "p2p/bob/carol"), "p2p/bob/carol");
  for (const text of ["#general", "room/general", "general"]) assert.equal(readRoomId(text), "general");
});

test("what is neither is wrong usage that says what is needed", () => {
  for (const text of ["", "a b", "#", "room/", "user/", "a/b", "bob\n"])
    assert.throws(() => readAddress(text), UsageError, text);
  for (const text of ["", "#", "a b", "user/bob"]) assert.throws(() => readRoomId(text), UsageError, text);
});
