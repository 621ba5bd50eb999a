import assert from "node:assert/strict";
import { test } from "node:test";
import * as ids from "./ids.ts";

test("a uid is 1 to 32 characters of its alphabet", () => {
  for (const uid of ["a", "alice", "A.b_c-d@example.org", "0", "x".repeat(32)]) assert.ok(ids.isUid(uid), uid);
  for (const uid of ["", "x".repeat(33), "a b", "a/b", "a+", "#", "a:b", 'a"', "é", "a\n", "a\u0000"])
    assert.ok(!ids.isUid(uid), JSON.stringify(uid));
});

test("a native client id belongs to the uid before its first colon, and to nobody else", () => {
  assert.equal(ids.uidOfClientId("alice"), "alice");
  assert.equal(ids.uidOfClientId("alice:web"), "alice");
  assert.equal(ids.uidOfClientId("alice:web:2"), "alice");
  for (const clientId of [":alice", "alice:", "", "alice/web", "a+:b", "a#", `${"x".repeat(33)}:web`, "alice:web\n"])
    assert.equal(ids.uidOfClientId(clientId), undefined, clientId);
});

test("reserved client ids are those of the services", () => {
  for (const clientId of ["router-p0", "sys_probe"]) assert.ok(ids.reservedClientId.test(clientId));
  for (const clientId of ["arouter-p0", "alice:router-p0"]) assert.ok(!ids.reservedClientId.test(clientId));
});

test("conversations are parsed as they are built", () => {
  assert.deepEqual(ids.parseConv(ids.p2pConv("bob", "alice")), { kind: "p2p", a: "alice", b: "bob" });
  assert.deepEqual(ids.parseConv(ids.p2pConv("bob", "bob")), { kind: "p2p", a: "bob", b: "bob" });
  assert.deepEqual(ids.parseConv(ids.roomConv("r1")), { kind: "room", roomId: "r1" });
  assert.deepEqual(ids.parseConv("ch/$news"), { kind: "ch", channelId: "$news" });
  const device = { kind: "dev", from: "alice", uid: "bob", clientId: "bob:web" };
  assert.deepEqual(ids.parseConv(ids.deviceConv("alice", "bob", "bob:web")), device);
});

test("a device of any client id has one address and one conversation", () => {
  for (const [clientId, spelled] of [
    ["alice/android", "alice%2Fandroid"],
    ["alice android", "alice%20android"],
    ["50%", "50%25"],
    ["%2F", "%252F"],
    ["é+#", "%C3%A9%2B%23"],
    [":x:", ":x:"],
    ["x".repeat(128), "x".repeat(128)],
  ] as const) {
    const conv = ids.deviceConv("bob", "alice", clientId);
    assert.equal(conv, `dev/bob/alice/${spelled}`);
    assert.deepEqual(ids.parseConv(conv), { kind: "dev", from: "bob", uid: "alice", clientId });
    const to = ids.deviceAddress("alice", clientId);
    assert.equal(to, `user/alice/client/${spelled}`);
    assert.deepEqual(ids.parseAddress(to), { kind: "device", uid: "alice", clientId });
    assert.equal(ids.toOf("bob", conv), to);
  }
  for (const spelled of ["a%2f", "a%2", "%41", "%", "%FF", "%00", "é", "x".repeat(129), "%C3%A9".repeat(60)]) {
    assert.equal(ids.parseConv(`dev/bob/alice/${spelled}`), undefined, spelled);
    assert.equal(ids.parseAddress(`user/alice/client/${spelled}`), undefined, spelled);
  }
});

test("both sides of a p2p conversation name it alike", () => {
  assert.equal(ids.p2pConv("bob", "alice"), ids.p2pConv("alice", "bob"));
  assert.equal(ids.p2pConv("Bob", "alice"), "p2p/Bob/alice");
});

test("nothing else is a conversation: one conversation has one spelling", () => {
  const wrong = [
    "",
    "p2p",
    "p2p/a",
    "p2p/b/a",
    "p2p/a/b/",
    "p2p//b",
    "/p2p/a/b",
    "room/",
    "room/r1/",
    "room/a/b",
    "ch/news",
  ];
  wrong.push(
    "ch/$",
    "ch/$a/b",
    "dev/a/b",
    "dev/a/b/",
    "dev/a/b/c/d",
    "user/bob",
    "P2P/a/b",
    "room/a+",
    "p2p/a/#",
    "toString",
  );
  for (const conv of wrong) assert.equal(ids.parseConv(conv), undefined, conv);
});

test("an address leads to the sender's conversation with it", () => {
  const conv = (to: string) => {
    const address = ids.parseAddress(to);
    assert.ok(address, to);
    return ids.convOf("bob", address);
  };
  assert.equal(conv("user/alice"), "p2p/alice/bob");
  assert.equal(conv("user/bob"), "p2p/bob/bob");
  assert.equal(conv("room/r1"), "room/r1");
  assert.equal(conv("user/alice/client/alice:web:2"), "dev/bob/alice/alice:web:2");
});

test("a message of a conversation is sent to the address that leads there", () => {
  const addresses = ["user/alice", "user/bob", "user/carl", "room/r1", "user/alice/client/alice:web:2"];
  for (const to of addresses) assert.equal(ids.toOf("bob", ids.convOf("bob", ids.addressOf(to))), to);
});

test("nothing else is an address", () => {
  const wrong = ["", "user", "user/", "user/a/", "user/a/client", "user/a/client/", "user/a/device/x", "room", "room/"];
  wrong.push("room/a/b", "user/a/client/b/c", "User/a", "p2p/a/b", "user/a b", "room/+", "$news");
  for (const to of wrong) assert.equal(ids.parseAddress(to), undefined, to);
});

test("who takes part in a p2p or device conversation stands in its name", () => {
  const members = (conv: string) => ids.namedMembers(ids.parseConv(conv) ?? assert.fail(conv));
  assert.deepEqual(members("p2p/alice/bob"), ["alice", "bob"]);
  assert.deepEqual(members("p2p/bob/bob"), ["bob"]);
  assert.deepEqual(members("dev/bob/alice/alice:web"), ["bob", "alice"]);
  assert.deepEqual(members("dev/bob/bob/bob:2"), ["bob"]);
  assert.equal(members("room/r1"), undefined);
  assert.equal(members("ch/$news"), undefined);
});
