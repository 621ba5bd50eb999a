import assert from "node:assert/strict";
import { test } from "node:test";
import { dialects, parseUplink, renderFor } from "./index.ts";

const packet = new TextEncoder().encode("{}");

test("native: people get a packet on their users' topics, devices on their own", () => {
  const to = { users: ["alice", "bob"], devices: [{ uid: "carol", clientId: "carol:web" }] };
  assert.deepEqual(renderFor(packet, to, "kept"), [
    { topics: ["im/dn/alice/m", "im/dn/bob/m", "im/dn/carol/d/carol:web"], payload: packet },
  ]);
  assert.deepEqual(renderFor(packet, { users: ["alice"], devices: [] }, "moment")[0]?.topics, ["im/dn/alice/e"]);
});

test("native: the topics of a long list are made once", () => {
  const to = { users: Array.from({ length: 100 }, (_, index) => `u${index}`), devices: [] };
  assert.equal(renderFor(packet, to, "kept")[0]?.topics, renderFor(packet, to, "kept")[0]?.topics);
  assert.equal(renderFor(packet, to, "moment")[0]?.topics[99], "im/dn/u99/e");
});

test("an uplink topic names its sender and what it is for; one of nobody's is no uplink", () => {
  const uplink = { p: "5", uid: "alice", clientId: "alice:web", verb: "msg" };
  assert.deepEqual(parseUplink("im/up/5/alice/alice:web/msg"), uplink);
  assert.equal(parseUplink("im/dn/alice/m"), undefined);
  assert.deepEqual(
    dialects.map(({ uplinkFilter }) => uplinkFilter("5")),
    ["im/up/5/#"],
  );
});
