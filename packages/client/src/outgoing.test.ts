import assert from "node:assert/strict";
import { test } from "node:test";
import { outgoing } from "./outgoing.ts";

test("a text stands for its content, and the conversation follows from the address", () => {
  assert.deepEqual(outgoing("bob", "1", "user/alice", "hi", { reply: 3 }), {
    id: "1",
    conv: "p2p/alice/bob",
    packet: { reply: 3, id: "1", to: "user/alice", content: { type: "text", data: "hi" } },
  });
});

test("what is no address, or too large, is refused before it is on its way", () => {
  for (const to of ["bob", "", "room/", "user/a b", "p2p/a/b"])
    assert.throws(() => outgoing("bob", "1", to, "hi"), { code: "invalid_packet" }, to);
  assert.throws(() => outgoing("bob", "1", "user/a", "é".repeat(33_000)), { code: "too_large" });
  assert.ok(outgoing("bob", "1", "user/a", "e".repeat(60_000)));
});
