import assert from "node:assert/strict";
import { test } from "node:test";
import { topicsOf } from "./recipients.ts";

test("people get a packet on their users' topics, devices on their own", () => {
  const to = { users: ["alice", "bob"], devices: [{ uid: "carol", clientId: "carol:web" }] };
  assert.deepEqual(topicsOf(to, "kept"), ["im/dn/alice/m", "im/dn/bob/m", "im/dn/carol/d/carol:web"]);
  assert.deepEqual(topicsOf({ users: ["alice"], devices: [] }, "moment"), ["im/dn/alice/e"]);
});

test("a device whose client id is not a native one hears nothing on native topics: it may be no part of a topic", () => {
  const devices = ["carol/android", "carol+", "#"].map((clientId) => ({ uid: "carol", clientId }));
  assert.deepEqual(topicsOf({ users: [], devices }, "moment"), []);
});

test("the topics of a long list are made once", () => {
  const to = { users: Array.from({ length: 100 }, (_, index) => `u${index}`), devices: [] };
  assert.equal(topicsOf(to, "kept"), topicsOf(to, "kept"));
  assert.equal(topicsOf(to, "moment")[99], "im/dn/u99/e");
});
