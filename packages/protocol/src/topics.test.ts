import assert from "node:assert/strict";
import { test } from "node:test";
import * as subjects from "./subjects.ts";
import * as topics from "./topics.ts";

const device = { p: "5", uid: "alice", clientId: "alice:web" };

test("uplink topics are parsed as they are built, every verb", () => {
  for (const verb of topics.uplinkVerbs)
    assert.deepEqual(topics.parseUplinkTopic(topics.uplinkTopic({ ...device, verb })), { ...device, verb });
});

test("nothing else is an uplink topic", () => {
  const wrong = ["", "im/up", "im/up/5/alice/alice:web", "im/up/5/alice/alice:web/msg/", "im/up/5/alice/alice:web/MSG"];
  wrong.push("im/up/g/alice/alice:web/msg", "im/up/55/alice/alice:web/msg", "im/up//alice/alice:web/msg");
  wrong.push(
    "im/up/5//alice:web/msg",
    "im/up/5/alice//msg",
    "/im/up/5/alice/a/msg",
    "im/dn/5/alice/a/msg",
    "im/up/5/a/a/ack",
  );
  for (const topic of wrong) assert.equal(topics.parseUplinkTopic(topic), undefined, topic);
});

test("downlink topics are parsed as they are built", () => {
  assert.deepEqual(topics.parseDownlinkTopic(topics.messagesTopic("bob")), { uid: "bob", channel: "m" });
  assert.deepEqual(topics.parseDownlinkTopic(topics.ephemeralTopic("bob")), { uid: "bob", channel: "e" });
  const own = { uid: "bob", channel: "d", clientId: "bob:web" };
  assert.deepEqual(topics.parseDownlinkTopic(topics.deviceTopic("bob", "bob:web")), own);
});

test("nothing else is a downlink topic, and no wildcard is part of one", () => {
  const wrong = [
    "im/dn/bob",
    "im/dn/bob/x",
    "im/dn/bob/d",
    "im/dn/bob/d/",
    "im/dn/bob/m/x",
    "im/dn//m",
    "im/dn/+/m",
    "im/dn/bob/#",
  ];
  wrong.push("im/dn/bob/d/+", "im/up/bob/m", "im/dn/bob/d/a/b", "x/im/dn/bob/m", "im/#");
  for (const topic of wrong) assert.equal(topics.parseDownlinkTopic(topic), undefined, topic);
});

test("a device is told its five topics to publish and its three to subscribe", () => {
  const { publish, subscribe } = topics.deviceTopics("5", "alice", "alice:web");
  assert.deepEqual(publish, {
    msg: "im/up/5/alice/alice:web/msg",
    receipt: "im/up/5/alice/alice:web/receipt",
    state: "im/up/5/alice/alice:web/state",
    typing: "im/up/5/alice/alice:web/typing",
    rpc: "im/up/5/alice/alice:web/rpc",
  });
  assert.deepEqual(subscribe, ["im/dn/alice/m", "im/dn/alice/e", "im/dn/alice/d/alice:web"]);
});

test("a router's filter takes in its partition's uplinks", () => {
  assert.equal(topics.uplinkFilter("a"), "im/up/a/#");
  assert.equal(topics.routerClientId("a"), "router-pa");
});

test("stored subjects are parsed as they are built, and nothing else is one", () => {
  for (const kind of ["mqtt", "origin"] as const)
    assert.deepEqual(subjects.parseStoredSubject(subjects.storedSubject(255, kind)), { q: 255, kind });
  for (const subject of ["stored", "stored.1", "stored.x.mqtt", "stored.1.other", "dead.1.mqtt", "stored..mqtt", ""])
    assert.equal(subjects.parseStoredSubject(subject), undefined, subject);
});

test("the streams hold the subjects that are published to them", () => {
  assert.ok(subjects.storedSubject(7, "origin").startsWith("stored."));
  assert.equal(subjects.streams.stored.originFilter, subjects.storedSubject(7, "origin").replace("7", "*"));
  assert.deepEqual(subjects.streams.dead.subjects, ["dead.>"]);
  assert.equal(subjects.deadSubject("router"), "dead.router");
  assert.equal(subjects.allMembersSubject, subjects.membersSubject(7).replace("7", "*"));
});
