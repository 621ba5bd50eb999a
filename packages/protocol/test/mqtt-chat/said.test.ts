// What a device of mqtt-chat is told of everything that Parley has: by the rules that programs read by.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mqttChat } from "../../src/dialects/mqtt-chat/mqtt-chat.ts";
import { historyGet } from "../../src/methods/history.ts";
import { roomsInvitations, roomsMembers } from "../../src/methods/members.ts";
import { presenceGet, presenceList } from "../../src/methods/presence.ts";
import { roomsGet } from "../../src/methods/rooms.ts";
import { rosterList } from "../../src/methods/roster.ts";
import { usersGet } from "../../src/methods/users.ts";
import { published, type RecordedParley, recordParley, stored, treeOf } from "../recorded-parley.ts";
import { isRead } from "./reader.ts";
import { roomOf } from "./rooms.ts";

const file = new URL("../../fixtures/mqtt-chat/read.json", import.meta.url);
const rows = JSON.parse(readFileSync(file, "utf8")) as { topic: string; payload: string; does: string }[];

test("the rules that are asked below are those that programs were seen to read by", () => {
  for (const { topic, payload, does } of rows) {
    if (payload.startsWith("(")) continue;
    if (does === "ParseFailedException") assert.throws(() => isRead(topic, payload), does);
    else if (payload.startsWith("Online /"))
      for (const one of payload.split(" / ")) assert.equal(isRead(topic, one), false);
    else if (!does.startsWith("reads an empty list"))
      assert.equal(isRead(topic, payload), !does.startsWith("nothing"), `${topic} ${payload}`);
  }
});

type Content = { type: string } & Record<string, unknown>;

const short = ["ada/o/+", "bob/s/+", "tea/g/+"];
const long = ["ada/others/+", "bob/self/+", "tea/others/+"];

function open(filters: string[]): { parley: RecordedParley; speaker: ReturnType<typeof mqttChat.open> } {
  const parley = recordParley("ada", filters);
  parley.answer(roomsGet, ({ id }) => roomOf(id, "bob"));
  const row = { name: "", nick: "", avatar: "", role: "member" as const, joinSeq: 1 };
  parley.answer(roomsMembers, () => ({ members: ["ada", "bob"].map((uid) => ({ uid, ...row })), next: null }));
  parley.answer(historyGet, ({ conv, after = 0 }) => {
    const about = stored(conv, after + 1, "bob", {
      type: "text",
      data: "shall we have tea in the garden, or better inside?",
    });
    return { messages: [about], firstSeq: 1, lastSeq: 9, more: false };
  });
  return { parley, speaker: mqttChat.open(treeOf("ada"), parley) };
}

const direct = "p2p/ada/bob";
const group = "room/tea";
const text = { type: "text", data: "hi" };
const url = "https://chat.example/attachments/f-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const image = { type: "image", file: "f-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", name: "1.png", size: 9, data: "look" };

test("every content reaches a device as a message that programs read, to a user and in a group", async () => {
  const contents: [content: Content, c: string, m: unknown][] = [
    [text, "TEXT", "hi"],
    [
      image,
      "IMAGE",
      { contentUploaded: true, name: "look", type: "image", path: url, metaData: { name: "1.png", size: 9 } },
    ],
    [{ type: "location", latitude: 50.45, longitude: 30.5 }, "MAP", { Lat: 50.45, Long: 30.5 }],
    [{ type: "contact", name: "Bob", phones: ["1"] }, "CONTACT", { name: "Bob", phoneNumber: "1" }],
    [{ type: "contact", name: "Bob", uid: "bob" }, "TEXT", "[contact] Bob bob"],
    [{ type: "file", url: "https://x.example/a.pdf", name: "a.pdf" }, "TEXT", "[file] a.pdf https://x.example/a.pdf"],
    [{ type: "edit", seq: 3, data: "new" }, "TEXT", "✎ new"],
    [{ type: "recall", seq: 3 }, "TEXT", "message removed"],
    [{ type: "reaction", seq: 3, data: "👍" }, "TEXT", "👍 to: shall we have tea in the garden, or bett…"],
    [{ type: "call", media: "audio", outcome: "missed" }, "TEXT", "[audio call] missed"],
    [{ type: "call", media: "audio", outcome: "ringing" }, "TEXT", "[audio call] is calling"],
    [{ type: "sticker", emoji: "🍵" }, "TEXT", "[sticker] 🍵"],
    [{ type: "x-app.thing", data: "?" }, "TEXT", "[x-app.thing] ?"],
    [{ type: "poll", question: "Tea?", options: ["yes", "no"] }, "TEXT", "[poll] Tea?\n1) yes\n2) no"],
    [{ type: "x-mqtt-chat.qar", data: "{}", mqttChat: { c: "QAR" } }, "QAR", "{}"],
    [{ type: "text", data: "ada joined", mqttChat: { c: "NOTIFICATION" } }, "NOTIFICATION", "ada joined"],
  ];
  const places: [conv: string, filters: string[], topic: string, d: boolean][] = [
    [direct, short, "ada/o/m", true],
    [direct, long, "ada/others/messages", true],
    [group, short, "tea/g/m", false],
    [group, long, "tea/others/messages", false],
  ];
  for (const [content, c, m] of contents)
    for (const [conv, filters, topic, d] of places) {
      const { speaker } = open(filters);
      const said = await speaker.render(stored(conv, 9, "bob", content));
      assert.deepEqual(
        said.map((one) => one.topic),
        [topic],
      );
      const payload = `${said[0]?.payload}`;
      const packet = JSON.parse(payload);
      const told = typeof m === "string" ? packet.m : JSON.parse(packet.m);
      assert.deepEqual([packet.c, told, packet.i, packet.s, packet.d], [c, m, "n-9", "bob", d]);
      assert.ok(isRead(topic.replace("others/messages", "o/m"), payload), payload);
    }
});

test("what a device of mqtt-chat sent comes to others as it was, but for a number as its id", async () => {
  const sent = { m: '{"Lat":1,"Long":2,"zoom":3}', i: 37674, s: "bob", c: "MAP", d: true };
  const sender = recordParley("bob", []);
  await mqttChat.open(treeOf("bob"), sender).take(published("ada/o/m", sent));
  const [[, { content }]] = sender.asks as [[string, { content: Content }]];
  const { speaker } = open(short);
  const [said] = await speaker.render(stored(direct, 4, "bob", content, { id: "made-by-parley" }));
  const { m, c, i } = JSON.parse(`${said?.payload}`);
  assert.deepEqual({ m, c, i }, { m: sent.m, c: "MAP", i: "made-by-parley" });
});

test("a content that claims to be of mqtt-chat and is not is told in words", async () => {
  for (const mqttChat of [7, null, "c", { c: "HTML", m: "x" }, { c: ["TEXT"] }, { c: "QAR", m: 5 }]) {
    const { speaker } = open(short);
    const [said] = await speaker.render(stored(direct, 4, "bob", { ...text, mqttChat }));
    const { m, c } = JSON.parse(`${said?.payload}`);
    assert.deepEqual({ m, c }, { m: "hi", c: "TEXT" });
  }
});

test("the user's own messages come to its other devices, with whom they went to; to the sending one only those in groups", async () => {
  const { speaker } = open(short);
  const rendered = (conv: string, device: string) => speaker.render(stored(conv, 5, "ada", text, { device, id: "x" }));
  const [copy] = await rendered(direct, "ada:web");
  const { m, s, r, d, i } = JSON.parse(`${copy?.payload}`);
  assert.deepEqual([copy?.topic, { m, s, r, d, i }], ["ada/o/m", { m: "hi", s: "ada", r: "bob", d: false, i: "x" }]);
  assert.deepEqual(await rendered(direct, "ada"), []);
  assert.equal((await rendered(group, "ada"))[0]?.topic, "tea/g/m");
});

test("a device that follows a friend's messages has its own to that friend there", async () => {
  const { speaker } = open(["ada/o/+", "bob/o/m"]);
  const [copy] = await speaker.render(stored(direct, 5, "ada", text, { device: "ada:web" }));
  assert.equal(copy?.topic, "bob/o/m");
});

test("a message that a device has no filter for is said where it has none, so that its router keeps it", async () => {
  const { parley, speaker } = open(["ada/o/m"]);
  const [said] = await speaker.render(stored(group, 5, "bob", text));
  assert.equal(said?.topic, "tea/g/m");
  assert.equal(parley.hears("tea/g/m"), false);
});

test("a receipt of a friend is told by the ids of the messages that came, each once, as their sender named them", async () => {
  const { speaker } = open(short);
  const receipt = (delivered: number) => ({ type: "receipt", conv: direct, uid: "bob", delivered, read: 0 });
  const own = (seq: number, more: object, content: Content = text) =>
    speaker.render(stored(direct, seq, "ada", content, { device: "ada:web", ...more }));
  await own(1, { id: "a" });
  await own(2, { id: "made" }, { ...text, mqttChat: { i: 37674 } });
  await own(3, { id: "quiet" }, { ...text, mqttChat: { d: false } });
  await own(4, { id: "b" });
  const told = async (delivered: number) => (await speaker.render(receipt(delivered))).map(({ payload }) => payload);
  assert.deepEqual(await told(3), ["a", "37674"]);
  assert.deepEqual(await told(3), []);
  assert.deepEqual(await told(4), ["b"]);
});

test("a receipt names messages that only history remembers", async () => {
  const { parley, speaker } = open(short);
  parley.answer(historyGet, () => ({
    messages: [stored(direct, 1, "ada", text, { id: "old" }), stored(direct, 2, "bob", text)],
    firstSeq: 1,
    lastSeq: 2,
    more: false,
  }));
  const said = await speaker.render({ type: "receipt", conv: direct, uid: "bob", delivered: 2, read: 2 });
  assert.deepEqual(said, [{ topic: "ada/o/d", payload: "old" }]);
  parley.asks.length = 0;
  await speaker.take(published("bob/o/d", "n-2"));
  assert.deepEqual(parley.asks.at(-1), ["receipt", { conv: direct, delivered: 2 }]);
});

test("seen on one device is told to the user's others, and a device says it by its own topic", async () => {
  const { parley, speaker } = open(short);
  for (const seq of [1, 2, 3]) await speaker.render(stored(direct, seq, "bob", text));
  const seen = { type: "receipt", conv: direct, uid: "ada", delivered: 2, read: 2 };
  assert.deepEqual(await speaker.render(seen), [
    { topic: "ada/o/d", payload: "n-1" },
    { topic: "ada/o/d", payload: "n-2" },
  ]);
  assert.deepEqual(await speaker.render(seen), []);
  await speaker.take(published("ada/o/d", "n-3"));
  assert.deepEqual(parley.asks, [["receipt", { conv: direct, read: 3 }]]);
  assert.deepEqual(await speaker.render({ ...seen, delivered: 3, read: 3 }), []);
});

test("a receipt for what a device never got does nothing, whatever it says", async () => {
  const { parley, speaker } = open(short);
  for (const payload of ["no-such", "", '"n-1"', "\u0000", "n-1 n-2"])
    await speaker.take(published("bob/o/d", payload));
  assert.deepEqual(
    parley.asks.filter(([what]) => what === "receipt"),
    [],
  );
  assert.deepEqual(parley.said, []);
});

test("presence and typing are told in words that programs know", async () => {
  const { speaker } = open(short);
  const presence = async (show: string) =>
    (await speaker.render({ type: "presence", uid: "bob", show, lastSeen: null })).map(({ topic, payload }) => [
      topic,
      payload,
    ]);
  for (const [show, word] of [
    ["online", "L"],
    ["away", "L"],
    ["dnd", "L"],
    ["offline", "F"],
  ] as const)
    assert.deepEqual(await presence(show), [["bob/s/l", word]]);
  for (const [state, word] of [
    ["composing", "COMPOSING"],
    ["recording", "COMPOSING"],
    ["paused", "PAUSED"],
  ] as const) {
    const [said] = await speaker.render({ type: "typing", conv: direct, uid: "bob", state });
    assert.deepEqual(JSON.parse(`${said?.payload}`), { i: "bob", c: word, id: "bob", chatStateValues: word });
    assert.ok(isRead(`${said?.topic}`, `${said?.payload}`));
  }
});

test("a device in the background is told of no typing, and of presence when it is back", async () => {
  const { parley, speaker } = open(short);
  await speaker.take(published("ada/o/c", { i: "ada", c: "INACTVE" }));
  assert.deepEqual(parley.asks, [["state", { active: false }]]);
  assert.deepEqual(await speaker.render({ type: "typing", conv: direct, uid: "bob", state: "composing" }), []);
  for (const show of ["offline", "online", "offline"])
    assert.deepEqual(await speaker.render({ type: "presence", uid: "bob", show, lastSeen: null }), []);
  assert.equal((await speaker.render(stored(direct, 5, "bob", text))).length, 1);
  await speaker.take(published("ada/o/c", { id: "ada", chatStateValues: "ACTIVE" }));
  assert.deepEqual(parley.said, [{ topic: "bob/s/l", payload: "F" }]);
  await speaker.active?.(false);
  assert.deepEqual(await speaker.render({ type: "presence", uid: "bob", show: "online", lastSeen: null }), []);
  await speaker.active?.(true);
  assert.deepEqual(parley.said.at(-1), { topic: "bob/s/l", payload: "L" });
});

test("whoever subscribes a friend is told how it is and what it is called, in the form of its filter", async () => {
  const profile = { uid: "bob", name: "Bob", nick: "", avatar: "", status: "at tea", language: "", vcard: {} };
  const expected = {
    short: [
      { topic: "bob/s/l", payload: "L" },
      { topic: "bob/s/p", payload: "bob" },
    ],
    long: [
      { topic: "bob/self/presence", payload: "L" },
      {
        topic: "bob/self/profile",
        payload: JSON.stringify({ id: "bob", name: "Bob", nick: "", image: "", status: "at tea" }),
      },
    ],
  };
  for (const [filter, said] of [
    ["bob/s/+", expected.short],
    ["bob/self/#", expected.long],
  ] as const) {
    const { parley, speaker } = open([filter]);
    parley.answer(presenceGet, ({ uid }) => ({ uid, show: "away" as const, lastSeen: null }));
    parley.answer(usersGet, () => profile);
    await speaker.subscribed?.([filter]);
    assert.deepEqual(parley.said, said);
  }
});

test("whoever subscribes a stranger is told nothing", async () => {
  const { parley, speaker } = open(["eve/s/+"]);
  await speaker.subscribed?.(["eve/s/+"]);
  assert.deepEqual(parley.said, []);
});

function answerFriends(parley: RecordedParley, uids: readonly string[]): void {
  const row = { nick: "", group: "", avatar: "", note: "", tags: [], blocked: false, muted: false, changedAt: 1 };
  const contacts = uids.map((id) => ({ ...row, id, name: id.toUpperCase(), relation: "contact" as const }));
  const eve = { ...row, id: "eve", name: "Eve", relation: "requested" as const };
  parley.answer(rosterList, () => ({ contacts: [...contacts, eve], version: 1, whole: true, next: null }));
  parley.answer(presenceList, () => ({
    contacts: [{ uid: "bob", show: "online" as const, lastSeen: null }],
    next: null,
  }));
}

test("a filter for everybody is answered with all friends", async () => {
  const { parley, speaker } = open(["+/s/+"]);
  answerFriends(parley, ["bob", "carol"]);
  await speaker.subscribed?.(["+/s/+"]);
  assert.deepEqual(parley.said.map(({ topic, payload }) => `${topic} ${payload}`).sort(), [
    "bob/s/l L",
    "bob/s/p bob",
    "carol/s/l F",
    "carol/s/p carol",
  ]);
});

test("many friends are asked for in a few lists", async () => {
  const friends = ["bob", ...Array.from({ length: 200 }, (_, at) => `friend${at}`)];
  const { parley, speaker } = open([]);
  answerFriends(parley, friends);
  await speaker.subscribed?.([...friends, "eve"].map((uid) => `${uid}/s/+`));
  assert.equal(parley.said.length, 2 * friends.length);
  assert.ok(parley.asks.length < 10, `${parley.asks.length}`);
});

test("invitations that wait are told at the subscription of one's own topic, and as they come", async () => {
  const { parley, speaker } = open(["ada/o/+"]);
  const row = { id: "tea", conv: group, name: "Tea", by: "bob" };
  const rows = [
    { ...row, standing: "invited" as const },
    { ...row, id: "old", standing: "banned" as const },
  ];
  parley.answer(roomsInvitations, () => ({ invitations: rows, next: null }));
  await speaker.subscribed?.(["ada/o/+"]);
  const packet = { name: "Tea", image: "", groupId: "tea", g: "tea", s: "bob", n: "Tea" };
  assert.deepEqual(
    parley.said.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`)]),
    [["ada/o/i", packet]],
  );
  const [said] = await speaker.render({ type: "invitation", ...row });
  assert.deepEqual([said?.topic, JSON.parse(`${said?.payload}`)], ["ada/o/i", packet]);
});

test("a refusal of a native packet is told in words where the device does not hear its native topic", async () => {
  const nack = { type: "nack", id: "m1", code: "not_found", message: "no such user" };
  const [said] = await open(short).speaker.render(nack);
  assert.match(JSON.parse(`${said?.payload}`).m, /m1.*no such user/);
  assert.deepEqual(await open([...short, "im/dn/ada/d/ada"]).speaker.render(nack), []);
});

test("a new connection says that its user is live; a desk that is opened later says nothing", async () => {
  const fresh = open(short);
  await fresh.speaker.begin?.();
  assert.deepEqual(fresh.parley.asks, [["state", { show: "online" }]]);
  const parley = recordParley("ada", short);
  await mqttChat.open({ ...treeOf("ada"), connectedAt: Date.now() - 3_600_000 }, parley).begin?.();
  assert.deepEqual(parley.asks, []);
});

test("what a device says of its presence right at its connection stays, also before that connection is known", async () => {
  const now = Date.now();
  for (const connectedAt of [now, 0]) {
    const parley = recordParley("ada", short);
    const tree = { ...treeOf("ada"), connectedAt };
    const speaker = mqttChat.open(tree, parley);
    await speaker.take(published("ada/s/l", "F"));
    tree.connectedAt = now;
    await speaker.begin?.();
    assert.deepEqual(parley.asks, [["state", { show: "invisible" }]]);
    tree.connectedAt += 1;
    await speaker.begin?.();
    assert.deepEqual(parley.asks.at(-1), ["state", { show: "online" }], "a connection behind it");
  }
});
