// The chatroom against Parley's port: what listener and publisher put on the wire, and what listeners can read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { chatroom } from "../../src/dialects/chatroom/chatroom.ts";
import { dialectOf } from "../../src/dialects.ts";
import { AppError } from "../../src/errors.ts";
import type { Tree } from "../../src/trees.ts";
import { published, recordParley, stored, treeOf } from "../recorded-parley.ts";

function openGuest(more: Partial<Tree> = {}, filters = ["chat"]) {
  const parley = recordParley("chat", filters);
  const tree: Tree = { ...treeOf("chat", "guest:1"), owner: "guest", accounts: [], prefix: "chat", filters, ...more };
  return { parley, speaker: chatroom.open(tree, parley) };
}

const willText = "User chat timed out.\n";
const said: [payload: unknown, message: object, will?: true][] = [
  [
    { type: "notice", from: "chat", notice: "User chat is now subscribed to chat ." },
    { content: { type: "text", data: "User chat is now subscribed to chat ." }, nick: "chat", notice: true },
  ],
  [
    { type: "message", from: "chat", message: "hello from publisher" },
    { content: { type: "text", data: "hello from publisher" }, nick: "chat" },
  ],
  [
    '{"type": "message", "from": "chat", "message": "\\u041f\\u0440\\u0438\\u0432\\u0456\\u0442 \\"quote\\" \\ud83d\\udc4b"}',
    { content: { type: "text", data: 'Привіт "quote" 👋' }, nick: "chat" },
  ],
  [
    { type: "message", from: "chat", message: "" },
    { content: { type: "text", data: "" }, nick: "chat" },
  ],
  [willText, { content: { type: "text", data: "User chat timed out." }, nick: "chat", notice: true }, true],
  [
    { type: "info", from: "ann", notice: "hi" },
    { content: { type: "text", data: "hi" }, nick: "ann", notice: true },
  ],
  [
    { type: "message", from: "ann", message: 7 },
    { content: { type: "text", data: "7" }, nick: "ann" },
  ],
  [
    { type: "message", from: null, message: { a: 1 } },
    { content: { type: "text", data: '{"a":1}' }, nick: "chat" },
  ],
  [
    { type: "message", from: "Alice", message: "x" },
    { content: { type: "text", data: "x" }, nick: "Alice (guest)" },
  ],
  [
    { type: "message", from: "PARLEY", message: "x" },
    { content: { type: "text", data: "x" }, nick: "PARLEY (guest)" },
  ],
  [
    { type: "message", from: " a\u200bnn ", message: "x" },
    { content: { type: "text", data: "x" }, nick: "ann" },
  ],
  [
    { type: "image", from: "ann" },
    { content: { type: "text", data: '{"type":"image","from":"ann"}' }, nick: "chat", notice: true },
  ],
  ["a\u0007b", { content: { type: "text", data: "a\ufffdb" }, nick: "chat", notice: true }],
  [
    { type: "message", from: "ann", message: "gone" },
    { content: { type: "text", data: "gone" }, nick: "ann", notice: true },
    true,
  ],
];

for (const [payload, message, will] of said)
  test(`${will ? "the Will " : ""}${JSON.stringify(payload)} is said in the topic's room`, async () => {
    const { parley, speaker } = openGuest();
    await speaker.take(published("chat", payload, will ? { will } : {}));
    assert.deepEqual(parley.asks, [["send", { to: "room/chat", ...message }]]);
    assert.deepEqual(parley.said, []);
  });

test("an empty packet says nothing", async () => {
  const { parley, speaker } = openGuest();
  await speaker.take(published("chat", ""));
  assert.deepEqual([parley.asks, parley.said], [[], []]);
});

test("a refusal is a notice of parley where the device may hear it; on a topic without a right nothing is said", async () => {
  const { parley, speaker } = openGuest({}, ["chat/+", "test/", "chat"]);
  parley.refuse("room/chat.2Fa", new AppError("forbidden", "the room is archived"));
  await speaker.take(published("chat/a", { type: "message", from: "ann", message: "x" }));
  await speaker.take(published("test/", { type: "message", from: "ann", message: "x" }));
  await speaker.take(published(`chat/${"x".repeat(140)}`, { type: "message", from: "ann", message: "x" }));
  assert.deepEqual(
    parley.said.map(({ topic, payload }) => [topic.slice(0, 8), JSON.parse(`${payload}`)]),
    [
      ["chat/a", { type: "notice", from: "parley", notice: "the room is archived" }],
      ["chat", { type: "notice", from: "parley", notice: "test/ is not your topic" }],
      ["chat/xxx", { type: "notice", from: "parley", notice: "the topic is too long" }],
    ],
  );
  assert.equal(parley.asks.length, 1);
});

test("what the edge refused is a notice of parley, too", async () => {
  const { parley, speaker } = openGuest({}, ["chat", "test/"]);
  for (const topic of ["chat", "test/", "a\u0001"])
    await speaker.refused?.({ topic, payload: new Uint8Array() }, new AppError("too_large", "too many bytes"));
  assert.deepEqual(
    parley.said.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`)]),
    ["chat", "chat", "chat"].map((topic) => [topic, { type: "notice", from: "parley", notice: "too many bytes" }]),
  );
});

const text = { type: "text", data: "Привіт 👋" };
const shown: [what: string, message: object, packet: object | undefined][] = [
  ["a user's text", stored("room/chat", 3, "ada", text), { type: "message", from: "ada", message: "Привіт 👋" }],
  [
    "a guest's text",
    stored("room/chat", 3, "chat", text, { nick: "ann" }),
    { type: "message", from: "ann", message: "Привіт 👋" },
  ],
  [
    "a user's text with a nick, which could be anybody's name",
    stored("room/chat", 3, "eve", text, { nick: "ada" }),
    { type: "message", from: "eve", message: "ada: Привіт 👋" },
  ],
  [
    "a guest's notice",
    stored("room/chat", 3, "chat", text, { nick: "ann", notice: true }),
    { type: "notice", from: "ann", notice: "Привіт 👋" },
  ],
  [
    "an edit",
    stored("room/chat", 4, "ada", { type: "edit", seq: 3, data: "new" }),
    { type: "message", from: "ada", message: "✎ new" },
  ],
  [
    "a recall",
    stored("room/chat", 4, "ada", { type: "recall", seq: 3 }),
    { type: "notice", from: "ada", notice: "message removed" },
  ],
  [
    "who joined",
    stored("room/chat", 4, "bob", { type: "event", data: { event: "join", by: "bob", uids: ["bob"] } }),
    { type: "notice", from: "bob", notice: "bob joined" },
  ],
  [
    "a file",
    stored("room/chat", 4, "ada", { type: "file", name: "a.pdf", url: "https://x/a.pdf" }),
    { type: "message", from: "ada", message: "[file] a.pdf https://x/a.pdf" },
  ],
  ["that the room was made", stored("room/chat", 1, "parley", { type: "event", data: { event: "create" } }), undefined],
  ["a room of another prefix", stored("room/test.2F", 3, "ada", text), undefined],
  ["a direct message", stored("p2p/ada/chat", 3, "ada", text), undefined],
  ["typing", { type: "typing", conv: "room/chat", uid: "ada", typing: true }, undefined],
];

for (const [what, message, packet] of shown)
  test(`${what} reaches a listener as ${packet ? JSON.stringify(packet) : "nothing"}`, async () => {
    const { speaker } = openGuest();
    const rendered = await speaker.render(message as Record<string, unknown>);
    assert.deepEqual(
      rendered.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`)]),
      packet ? [["chat", packet]] : [],
    );
  });

test("a user's name is its own, whatever its packet says, and its topic is any that it has a room for", async () => {
  const { parley, speaker } = openGuest({ owner: "user", uid: "ada", accounts: ["ada"] });
  await speaker.take(published("chat", { type: "message", from: "bob", message: "hi" }));
  await speaker.take(published("team", { type: "message", from: "bob", message: "hi" }));
  const content = { type: "text", data: "hi" };
  assert.deepEqual(parley.asks, [
    ["send", { to: "room/chat", content }],
    ["send", { to: "room/team", content }],
  ]);
});

test("a device whose first topic is a guest's topic speaks chatroom; native and other topics stay whose they are", () => {
  const of = (topic: string) => dialectOf({ topic, guestPrefixes: ["chat", ""] })?.name;
  for (const topic of ["chat", "chat/#", "chat/+/a", "$share/g/chat/a"]) assert.equal(of(topic), "chatroom", topic);
  for (const topic of ["chatter", "#", "im/m/chat", "$IM/room/chat"]) assert.notEqual(of(topic), "chatroom", topic);
  assert.notEqual(dialectOf({ topic: "chat" })?.name, "chatroom");
});
