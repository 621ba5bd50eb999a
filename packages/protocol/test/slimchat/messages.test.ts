// Messages of SlimChat, as devices send and get them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Outgoing } from "../../src/dialects/dialect.ts";
import { ofDraft, openDevice, ownTopic, type Packet, text } from "./device.ts";

for (const form of ["$IM/", "IM/"])
  test(`a message on ${form}user/{uid} is stored as the device's own and acknowledged with ts on its own client topic`, async () => {
    const { done, told, publish } = openDevice();
    await publish(`${form}user/bob`, { ...ofDraft, ts: 1 });
    assert.deepEqual(done, [
      ["send", { id: "akx292akak229", to: "user/bob", type: "chat", thread: "threadid", content: text }],
    ]);
    const packet = { ...ofDraft, from: "jack", ts: 1_938_294_828, seq: 7 };
    assert.deepEqual(told, [{ topic: `${form}user/jack/client/livehub-android-1`, packet }]);
  });

const ways: [topic: string, packet: Packet, stored: Packet][] = [
  ["$IM/room/tea", { type: "grpchat" }, { to: "room/tea", type: "grpchat" }],
  ["$IM/room/tea", { type: "chat" }, { to: "room/tea", type: "grpchat" }],
  ["$IM/room/tea", {}, { to: "room/tea", type: "grpchat" }],
  ["$IM/user/uid:bob", { type: "grpchat" }, { to: "user/bob", type: "chat" }],
  ["$IM/user/bob", { type: "event" }, { to: "user/bob", type: "event" }],
  ["$IM/user/bob/client/c2", { type: "chat" }, { to: "user/bob/client/c2", type: "chat" }],
  ["$IM/user/bob/client/bob/a b", { type: "chat" }, { to: "user/bob/client/bob%2Fa%20b", type: "chat" }],
  ["$IM/node/door", { type: "chat" }, { to: "user/door", type: "chat", oid: "node/door" }],
  ["$IM/user/bob", { thread: "p2p/bob/jack" }, { to: "user/bob", type: "chat" }],
  ["$IM/user/bob", { thread: "p2p/bob/jack/12" }, { to: "user/bob", type: "chat", thread: 12 }],
  ["$IM/user/bob", { id: 12, reply: 3, mine: 1 }, { to: "user/bob", type: "chat", id: "12", reply: 3, mine: 1 }],
];

for (const [topic, packet, stored] of ways)
  test(`${JSON.stringify(packet)} on ${topic} is stored as ${JSON.stringify(stored)}`, async () => {
    const { done, publish } = openDevice();
    await publish(topic, { id: "m1", content: text, conv: "room/other", seq: 1, device: "x", ...packet });
    assert.deepEqual(done, [["send", { id: "m1", content: text, ...stored }]]);
  });

const fromBob = {
  conv: "p2p/bob/jack",
  seq: 3,
  from: "bob",
  device: "bob:web",
  ts: 1_795_240_386_143,
  id: "01J8",
  to: "user/jack",
  content: { type: "text", data: "hi" },
};
const asTold = {
  id: "01J8",
  from: "bob",
  to: "jack",
  type: "chat",
  thread: "p2p/bob/jack",
  content: { type: "text", data: "hi" },
  ts: 1_795_240_386_143,
  seq: 3,
};

test("a file's URL, which the draft has in data, is stored as the file's URL, and told as both", async () => {
  const { done, publish, render } = openDevice();
  const data = `/attachements/f-${"a".repeat(32)}`;
  await publish("$IM/user/bob", { id: "m1", content: { type: "image", data } });
  await publish("$IM/user/bob", { id: "m2", content: { type: "image", url: data, data: "my cat" } });
  await publish("$IM/user/bob", { id: "m3", content: { type: "file", data: "no URL" } });
  const contents = done.map(([, message]) => (message as Outgoing).content);
  assert.deepEqual(contents, [
    { type: "image", url: data },
    { type: "image", url: data, data: "my cat" },
    { type: "file", data: "no URL" },
  ]);
  const [told] = await render({ ...fromBob, content: { type: "image", file: `f-${"a".repeat(32)}` } });
  const url = `https://chat.example/attachments/f-${"a".repeat(32)}`;
  assert.deepEqual(told!.packet.content, { type: "image", file: `f-${"a".repeat(32)}`, url, data: url });
});

const renderings: [what: string, message: Packet, topic: string, told: Packet][] = [
  ["a message between two", fromBob, "$IM/user/jack", asTold],
  [
    "what the user sent on another device",
    { ...fromBob, from: "jack", to: "user/bob" },
    "$IM/user/jack",
    { ...asTold, from: "jack", to: "bob" },
  ],
  [
    "a message in a room",
    { ...fromBob, conv: "room/tea", to: "room/tea", type: "grpchat", thread: 2 },
    "$IM/room/tea",
    { ...asTold, to: "tea", type: "grpchat", thread: "room/tea/2" },
  ],
  [
    "a message to this device alone",
    { ...fromBob, conv: "dev/bob/jack/livehub-android-1", to: "user/jack/client/livehub-android-1" },
    ownTopic,
    { ...asTold, to: "user/jack/client/livehub-android-1", thread: "dev/bob/jack/livehub-android-1" },
  ],
  [
    "a message to one device that the user sent on another",
    { ...fromBob, from: "jack", conv: "dev/jack/bob/c2", to: "user/bob/client/c2" },
    "$IM/user/jack",
    { ...asTold, from: "jack", to: "user/bob/client/c2", thread: "dev/jack/bob/c2" },
  ],
  [
    "a message to a node",
    { ...fromBob, oid: "node/jack", thread: "t1" },
    "$IM/user/jack",
    { ...asTold, to: "node/jack", thread: "t1" },
  ],
  [
    "an edit",
    { ...fromBob, content: { type: "edit", seq: 1, data: "hi!" } },
    "$IM/user/jack",
    { ...asTold, content: { type: "edit", seq: 1, data: "hi!" } },
  ],
  [
    "who joined",
    {
      ...fromBob,
      conv: "room/tea",
      to: "room/tea",
      type: "grpchat",
      content: { type: "event", data: { event: "join" } },
    },
    "$IM/room/tea",
    { ...asTold, to: "tea", type: "event", thread: "room/tea", content: { type: "event", data: { event: "join" } } },
  ],
  [
    "a guest's message",
    { ...fromBob, conv: "room/tea", to: "room/tea", nick: "Joe" },
    "$IM/room/tea",
    { ...asTold, to: "tea", type: "grpchat", thread: "room/tea", content: { type: "text", data: "Joe: hi" } },
  ],
];

for (const [what, message, topic, packet] of renderings)
  test(`${what} is told on ${topic} in the draft's fields`, async () =>
    assert.deepEqual(await openDevice().render(message), [{ topic, packet }]));

test("a device is told in the form that it subscribes, else in the one that it used last, else in the draft's", async () => {
  const topicOf = async (device: ReturnType<typeof openDevice>) => (await device.render(fromBob))[0]!.topic;
  const device = openDevice();
  assert.equal(await topicOf(device), "$IM/user/jack");
  await device.publish("IM/user/bob", { id: "m1", content: text });
  assert.equal(await topicOf(device), "IM/user/jack");
  await device.speaker.subscribed!(["$IM/user/jack", "im/dn/jack/m"]);
  assert.equal(await topicOf(device), "$IM/user/jack");
  assert.equal(await topicOf(openDevice({}, { filters: ["IM/#"] })), "IM/user/jack");
});
