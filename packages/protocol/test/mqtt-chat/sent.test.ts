// What programs of mqtt-chat were seen to send, and what Parley takes it for: fixtures/mqtt-chat/sent.json.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mqttChat } from "../../src/dialects/mqtt-chat/mqtt-chat.ts";
import { AppError } from "../../src/errors.ts";
import { roomsInvite, roomsMembers } from "../../src/methods/members.ts";
import { roomsCreate } from "../../src/methods/rooms.ts";
import { type Ask, published, recordParley, stored, treeOf } from "../recorded-parley.ts";
import { roomOf } from "./rooms.ts";

interface Sent {
  what: string;
  program: string;
  by: string;
  topic: string;
  payload: string;
  will?: true;
  asks: Ask[];
}

const file = new URL("../../fixtures/mqtt-chat/sent.json", import.meta.url);
const rows = JSON.parse(readFileSync(file, "utf8")) as Sent[];

for (const { what, program, by, topic, payload, will, asks } of rows)
  test(`${program}: ${what} on ${topic} is taken for what it says`, async () => {
    const parley = recordParley(by, [`${by}/o/+`]);
    parley.answer(roomsCreate, ({ id = "" }) => roomOf(id, by));
    parley.answer(roomsInvite, ({ uids }) => ({ seq: 2, uids }));
    const row = { name: "", nick: "", avatar: "", role: "owner" as const, joinSeq: 1 };
    parley.answer(roomsMembers, () => ({ members: [{ uid: by, ...row }], next: null }));
    const speaker = mqttChat.open(treeOf(by), parley);
    const friend = topic.split("/", 1)[0] as string;
    const conv = by < friend ? `p2p/${by}/${friend}` : `p2p/${friend}/${by}`;
    await speaker.render(stored(conv, 7, friend, { type: "text", data: "hello" }, { id: "m-1" }));
    await speaker.take(published(topic, payload, will ? { will } : {}));
    assert.deepEqual(parley.asks, asks);
    for (const { topic: said } of parley.said) assert.ok(!said.endsWith("/o/m"), "a refusal was said");
  });

test("a message with a number as its id is stored by its packet, so that only a packet that comes again is the same", async () => {
  const parley = recordParley("bot", []);
  const packet = published("bob/o/m", { m: "hi", i: 37674, s: "bot", c: "TEXT", d: true });
  const speaker = mqttChat.open(treeOf("bot"), parley);
  await speaker.take(packet);
  assert.deepEqual(parley.packets, [packet]);
  const [[, message]] = parley.asks as [Ask];
  assert.equal((message as { id?: string }).id, undefined);
});

test("what the edge refused is said by parley, with the id where it can be read", async () => {
  const parley = recordParley("ada", ["ada/o/+"]);
  const speaker = mqttChat.open(treeOf("ada"), parley);
  for (const beginning of ['{"i":"m1","m":"xxx', '{"m":"xxx', "xxx"])
    await speaker.refused?.(
      { topic: "bob/o/m", payload: Buffer.from(beginning) },
      new AppError("too_large", "too much"),
    );
  assert.deepEqual(
    parley.said.map(({ topic, payload }) => [topic, (JSON.parse(`${payload}`) as { m: string }).m]),
    ["not sent (m1): too much", "not sent: too much", "not sent: too much"].map((words) => ["ada/o/m", words]),
  );
});

test("what cannot be stored now is refused in words, and comes again where nobody knows yet what the device hears", async () => {
  const parley = recordParley("ada", ["ada/o/+"]);
  const refuse = (filters: string[]) =>
    mqttChat
      .open({ ...treeOf("ada"), filters }, parley)
      .refused?.({ topic: "bob/o/m", payload: Buffer.from('{"i":"m1"') }, new AppError("unavailable", "ask again"));
  await assert.rejects(async () => refuse([]), { code: "unavailable" });
  assert.deepEqual(parley.said, []);
  await refuse(["ada/o/+"]);
  assert.equal(parley.said.length, 1);
});

test("what is no message is refused in words, and loses nothing", async () => {
  const words: [payload: string, said: RegExp][] = [
    ['{"m":"cut', /one JSON object/],
    ['{"i":"x1","s":"bob","c":"TEXT"}', /m is missing/],
    [JSON.stringify({ m: "x", i: "y".repeat(65) }), /1 to 64 characters/],
  ];
  for (const [payload, said] of words) {
    const parley = recordParley("ada", ["ada/o/+"]);
    await mqttChat.open(treeOf("ada"), parley).take(published("bob/o/m", payload));
    const [{ topic, payload: told }] = parley.said as [{ topic: string; payload: string }];
    assert.equal(topic, "ada/o/m");
    const { s, c, i, m, d } = JSON.parse(told);
    assert.deepEqual({ s, c, d, i: typeof i }, { s: "parley", c: "TEXT", d: false, i: "string" });
    assert.match(m, said);
  }
});

test("contents that Parley cannot read are carried as they are", async () => {
  for (const [c, m] of [
    ["MAP", "somewhere"],
    ["MAP", '{"Lat":91,"Long":0}'],
    ["CONTACT", '{"phoneNumber":"1"}'],
    ["CONTACT", JSON.stringify({ name: "x".repeat(129) })],
    ["IMAGE", "{}"],
    ["VIDEO", "[]"],
  ]) {
    const parley = recordParley("ada", ["ada/o/+"]);
    await mqttChat.open(treeOf("ada"), parley).take(published("bob/o/m", { m, c, i: "x", s: "ada" }));
    const [[, message]] = parley.asks as [[string, { content: object }]];
    assert.deepEqual(message.content, { type: `x-mqtt-chat.${c?.toLowerCase()}`, data: m, mqttChat: { c } });
    assert.deepEqual(parley.said, []);
  }
});

test("who encrypts its payloads has them carried as they are", async () => {
  const parley = recordParley("ada", ["ada/o/+"]);
  const opaque = "0nGGvTlH\nq8w==\n";
  await mqttChat.open(treeOf("ada"), parley).take(published("bob/o/m", opaque));
  assert.deepEqual(parley.asks, [["send", { to: "user/bob", content: { type: "text", data: opaque } }]]);
});

test("on the page's topics an id may be a group's, which is found out once", async () => {
  const parley = recordParley("ada", []);
  parley.refuse("user/tea", new AppError("not_found"));
  const speaker = mqttChat.open(treeOf("ada"), parley);
  for (const topic of ["tea/others/messages", "tea/message", "tea/o/m"])
    await speaker.take(published(topic, { m: topic }));
  const to = parley.asks.map(([, message]) => (message as { to: string }).to);
  assert.deepEqual(to, ["user/tea", "room/tea", "room/tea", "room/tea"]);
});

test("a message to a group waits until the group that was begun before it is made", async () => {
  const parley = recordParley("ada", ["tea/g/+"]);
  parley.answer(roomsCreate, ({ id = "" }) => roomOf(id, "ada"));
  parley.answer(roomsInvite, ({ uids }) => ({ seq: 2, uids }));
  const speaker = mqttChat.open(treeOf("ada"), parley);
  const list = speaker.take(published("tea/g/e", { m: ["ada", "bob"] }));
  const message = speaker.take(published("tea/g/m", { m: "hi", i: "g1", s: "ada", c: "TEXT" }));
  await Promise.all([list, message]);
  const asked = parley.asks.map(([what]) => what);
  assert.ok(asked.indexOf("send") > asked.indexOf("rooms.invite"), asked.join());
});

test("a Will is never taken for a word of a device that lives", async () => {
  for (const word of ["Offline", "F", "L", "Online", "anything"]) {
    const parley = recordParley("ada", []);
    await mqttChat.open(treeOf("ada"), parley).take(published("ada/s/l", word, { will: true }));
    assert.deepEqual([parley.asks, parley.said], [[], []]);
  }
});

test("a Will on any other topic does nothing", async () => {
  const parley = recordParley("ada", ["ada/o/+"]);
  await mqttChat.open(treeOf("ada"), parley).take(published("bob/o/m", "gone", { will: true }));
  assert.deepEqual([parley.asks, parley.said], [[], []]);
});

test("nobody says another's presence, profile or chat state", async () => {
  const parley = recordParley("ada", ["ada/o/+"]);
  const speaker = mqttChat.open(treeOf("ada"), parley);
  await speaker.take(published("bob/s/l", "F"));
  await speaker.take(published("bob/s/p", { name: "Bobby" }));
  await speaker.take(published("bob/o/c", { i: "carol", c: "COMPOSING" }));
  assert.deepEqual(
    parley.asks.filter(([what]) => what !== "rooms.get"),
    [["typing", { conv: "p2p/ada/bob", state: "composing" }]],
  );
});
