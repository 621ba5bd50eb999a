import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageContent } from "@parley/protocol";
import { isSendable, outgoing } from "./outgoing.ts";

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

test("what the server could not read, or would answer without its id, is refused here and holds up nothing", () => {
  const cycle: MessageContent = { type: "text" };
  cycle.self = cycle;
  let deep: object = {};
  for (let depth = 0; depth < 20; depth += 1) deep = { deep };
  const refused: Parameters<typeof outgoing>[] = [
    ["bob", "", "user/a", "hi"],
    ["bob", "x".repeat(65), "user/a", "hi"],
    ["bob", "1", "user/a", { type: "Nonsense!" as "text" }],
    ["bob", "1", "user/a", cycle],
    ["bob", "1", "user/a", { type: "location", latitude: 91, longitude: 0 }],
    ["bob", "1", "user/a", { type: "text", big: 1n }],
    ["bob", "1", "user/a", { type: "text", deep }],
    ["bob", "1", "user/a", { type: "text", $where: 1 }],
    ["bob", "1", "user/a", "hi", { reply: -1 }],
    ["bob", "1", "user/a", "hi", { type: "ack" }],
  ];
  for (const wrong of refused) assert.throws(() => outgoing(...wrong), { code: "invalid_packet" }, String(wrong[1]));
});

test("what a store has kept is sendable when it is what was put", () => {
  const kept = outgoing("bob", "1", "user/a", "hi");
  assert.equal(isSendable(kept), true);
  for (const damage of [{ id: "2" }, { conv: 1 }, { packet: { id: "1" } }, { packet: null }])
    assert.equal(isSendable({ ...kept, ...damage } as typeof kept), false, JSON.stringify(damage));
});
