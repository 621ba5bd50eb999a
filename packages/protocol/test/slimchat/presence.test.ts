// Presence of SlimChat: said, told, and the words of subscriptions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "../../src/errors.ts";
import { openDevice, ownTopic, type Packet, text } from "./device.ts";

const presences: [packet: Packet, topic: string, done: [string, unknown][]][] = [
  [
    { id: "jack", from: "jack", type: "online", show: "online", status: "I am online", status_time: "10:55" },
    "$IM/user/jack",
    [["state", { show: "online", status: "I am online" }]],
  ],
  [{ type: "online", show: "chat" }, "$IM/user/jack", [["state", { show: "online" }]]],
  [{ type: "online", show: "away", status: "" }, "$IM/node/jack", [["state", { show: "away", status: "" }]]],
  [{ type: "online", show: "dnd" }, ownTopic, [["state", { show: "dnd" }]]],
  [{ type: "offline", show: "online" }, "$IM/user/jack", [["state", { show: "invisible" }]]],
  [{ type: "subscribe" }, "$IM/user/bob", [["roster.request", { id: "bob" }]]],
  [{ type: "subscribe", to: "uid:bob" }, "$IM/user/jack", [["roster.request", { id: "bob" }]]],
  [{ type: "subscribed", to: "user/bob" }, "$IM/user/bob", [["roster.confirm", { id: "bob" }]]],
  [{ type: "unsubscribe" }, "$IM/user/bob", [["roster.revoke", { id: "bob" }]]],
  [{ type: "unsubscribed" }, "$IM/user/bob", [["roster.refuse", { id: "bob" }]]],
];

for (const [packet, topic, expected] of presences)
  test(`the presence ${JSON.stringify(packet)} on ${topic} does ${JSON.stringify(expected)}`, async () => {
    const { done, told, publish } = openDevice();
    await publish(topic, packet);
    assert.deepEqual(done, expected);
    assert.deepEqual(told, []);
  });

test("a Will that says offline changes nothing: the user may have other devices. One that is a message is sent", async () => {
  const { done, publish } = openDevice();
  await publish("$IM/user/jack", { type: "offline" }, { will: true });
  assert.deepEqual(done, []);
  await publish("$IM/user/bob", { id: "m1", content: text }, { will: true });
  assert.deepEqual(done, [["send", { id: "m1", to: "user/bob", type: "chat", content: text }]]);
});

test("a subscription ends also where there is nothing to revoke, and a refusal is told", async () => {
  const { done, told, publish } = openDevice({ call: () => new AppError("not_found", "nothing") });
  await publish("$IM/user/bob", { id: "p1", type: "unsubscribe" });
  assert.deepEqual(
    done.map(([what]) => what),
    ["roster.revoke", "roster.remove"],
  );
  assert.equal((told[0]!.packet.content as { data: Packet }).data.code, "not_found");
});

test("a vcard is the profile's, before the presence is told, and not written where it is so already", async () => {
  const { done, publish } = openDevice({ call: () => ({ vcard: { tel: "1" } }) });
  await publish("$IM/user/jack", { type: "online", vcard: { tel: "2" } });
  await publish("$IM/user/jack", { type: "online", vcard: { tel: "1" } });
  assert.deepEqual(done, [
    ["profile.get", {}],
    ["profile.update", { vcard: { tel: "2" } }],
    ["state", { show: "online" }],
    ["profile.get", {}],
    ["state", { show: "online" }],
  ]);
});

const vcardOf = (name: string) => (name === "users.get" ? { vcard: { tel: "1" } } : undefined);

test("a contact's presence is told on the user's topic, with the vcard that the profile has then", async () => {
  const { done, render } = openDevice({ call: vcardOf });
  const online = { type: "presence", uid: "bob", show: "online", status: "at tea", lastSeen: null };
  const packet = { id: "bob", from: "bob", type: "online", show: "chat", status: "at tea", vcard: { tel: "1" } };
  assert.deepEqual(await render(online), [{ topic: "$IM/user/jack", packet }]);
  const [away] = await render({ ...online, show: "away" });
  assert.deepEqual(away!.packet, { ...packet, show: "away" });
  const offline = { type: "presence", uid: "bob", show: "offline", lastSeen: 5 };
  const gone = { id: "bob", from: "bob", type: "offline", show: "away", status: "", lastSeen: 5 };
  assert.deepEqual((await render(offline))[0]!.packet, gone);
  assert.deepEqual(done, Array(2).fill(["users.get", { uid: "bob" }]));
});

test("a presence whose vcard cannot be read comes without it", async () => {
  const { render } = openDevice({ call: () => new AppError("unavailable") });
  const [told] = await render({ type: "presence", uid: "bob", show: "dnd", lastSeen: null });
  assert.deepEqual(told!.packet, { id: "bob", from: "bob", type: "online", show: "dnd", status: "" });
});

const words: [before: string | undefined, relation: string, word: Packet | undefined][] = [
  [undefined, "pending", { from: "bob", to: "jack", type: "subscribe" }],
  [undefined, "requested", { from: "jack", to: "bob", type: "subscribe" }],
  ["requested", "contact", { from: "bob", to: "jack", type: "subscribed" }],
  ["contact", "contact", undefined],
  ["contact", "removed", { from: "bob", to: "jack", type: "unsubscribe" }],
  ["pending", "removed", { from: "bob", to: "jack", type: "unsubscribe" }],
  ["requested", "removed", { from: "bob", to: "jack", type: "unsubscribed" }],
];

for (const [before, relation, word] of words)
  test(`a roster entry that was ${before} and is ${relation} is told as ${word?.type ?? "no word of a subscription"}`, async () => {
    const { render } = openDevice({ call: () => new AppError("not_found") });
    const changed = (now: string) => ({ type: "roster.changed", contact: { id: "bob", relation: now } });
    if (before) await render(changed(before));
    const told = await render(changed(relation));
    const [event] = told.splice(-1);
    assert.deepEqual((event!.packet.content as Packet).data, {
      event: "roster.changed",
      contact: { id: "bob", relation },
    });
    const expected = word && { topic: "$IM/user/jack", packet: { id: word.from, ...word, show: "chat", status: "" } };
    assert.deepEqual(told, expected ? [expected] : []);
  });

test("a contact whose profile changed is told with its presence and the vcard of now", async () => {
  const answers: Record<string, unknown> = { "presence.get": { uid: "bob", show: "dnd", lastSeen: null } };
  const { render } = openDevice({ call: (name) => answers[name] ?? { vcard: { tel: "3" } } });
  const told = await render({ type: "roster.changed", contact: { id: "bob", relation: "contact" } });
  const packet = { id: "bob", from: "bob", type: "online", show: "dnd", status: "", vcard: { tel: "3" } };
  assert.deepEqual(told.at(-1), { topic: "$IM/user/jack", packet });
});

test("who asked while the user was away is told when a device comes and hears, once each time; others are not told", async () => {
  const contact = (id: string, relation: string, blocked = false) => ({ id, relation, blocked });
  const contacts = [contact("bob", "pending"), contact("eve", "pending", true), contact("cal", "contact")];
  const { told, speaker, render } = openDevice({ call: () => ({ contacts, next: null }) });
  const asks = { id: "bob", from: "bob", to: "jack", type: "subscribe", show: "chat", status: "" };
  for (const _ of [1, 2]) {
    await speaker.begin!();
    await speaker.subscribed!(["#"]);
    await speaker.subscribed!(["$IM/user/jack"]);
  }
  assert.deepEqual(told, Array(2).fill({ topic: "$IM/user/jack", packet: asks }));
  const [ended] = await render({ type: "roster.changed", contact: contact("cal", "removed") });
  assert.equal(ended!.packet.type, "unsubscribe");
});

test("a device is told the rest also where the roster cannot be read", async () => {
  const { told, speaker } = openDevice({ call: () => new AppError("unavailable") });
  await speaker.begin!();
  await speaker.subscribed!(["#"]);
  assert.deepEqual(told, []);
});
