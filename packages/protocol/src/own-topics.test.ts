import assert from "node:assert/strict";
import { test } from "node:test";
import { isOwnInbox, isOwnUplink } from "./own-topics.ts";
import { deviceTopics, parseUplinkTopic, uplinkVerbs } from "./topics.ts";

const own = { uid: "alice", clientId: "alice:phone" };

test("a device may publish its own uplink, of whatever partition, and nothing beside it", () => {
  for (const p of "0123456789abcdef")
    for (const verb of uplinkVerbs) assert.ok(isOwnUplink(`im/up/${p}/alice/alice:phone/${verb}`, own));
  const others = [
    "",
    "im/up/",
    "im/up/0/alice/alice:phone",
    "im/up/0/alice/alice:phone/",
    "im/up/0/alice/alice:phone/msg/",
    "im/up/0/alice/alice:phone/other",
    "im/up/g/alice/alice:phone/msg",
    "im/up//alice/alice:phone/msg",
    "im/up/00/alice/alice:phone/msg",
    "im/up/0/alice/alice:phone2/msg",
    "im/up/0/alice/alice/msg",
    "im/up/0/alice2/alice:phone/msg",
    "im/up/0/bob/alice:phone/msg",
    "im/up/0/bob/bob:phone/msg",
    "im/up/0/alice/bob:phone/msg",
    "im/dn/0/alice/alice:phone/msg",
    "im/up/0/alice/alice:phone/msg\0",
    "im/up/+/alice/alice:phone/msg",
    " im/up/0/alice/alice:phone/msg",
  ];
  for (const topic of others) assert.ok(!isOwnUplink(topic, own), topic);
});

test("the two ways in which an uplink topic is read agree", () => {
  const parts = ["im", "up", "0", "f", "x", "alice", "alice:phone", "bob", "msg", "rpc", "", "0/"];
  const random = (list: readonly string[]) => list[Math.floor(Math.random() * list.length)];
  for (let round = 0; round < 20_000; round++) {
    const topic =
      round % 2 === 0
        ? `im/up/${Array.from({ length: 4 }, () => random(parts)).join("/")}`
        : Array.from({ length: 6 }, () => random(parts)).join("/");
    const parsed = parseUplinkTopic(topic);
    const isOwn = parsed?.uid === own.uid && parsed.clientId === own.clientId;
    assert.equal(isOwnUplink(topic, own), isOwn, topic);
  }
});

test("a device may subscribe its three topics, and no other, no wildcard and nothing shared", () => {
  const { subscribe } = deviceTopics("0", own.uid, own.clientId);
  for (const filter of subscribe) assert.ok(isOwnInbox(filter, own));
  const others = [
    "im/dn/bob/m",
    "im/dn/alice/d/alice:tablet",
    "im/dn/alice/#",
    "im/dn/+/m",
    "$share/g/im/dn/alice/m",
    "#",
  ];
  for (const filter of [...others, "im/dn/alice/d/+", "im/dn/alice/x", "im/dn/alice", ""])
    assert.ok(!isOwnInbox(filter, own), filter);
});
