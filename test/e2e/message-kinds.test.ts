// Polls, threads, places, contacts and other kinds of messages, and mentions, through every door: HTTP, stock MQTT, the SDK, parley.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { callHttp, type MessageContent } from "@parley/client";
import {
  conversationsList,
  historyGet,
  messagesSend,
  messagesVotes,
  roomsCreate,
  threadsGet,
  threadsList,
  threadsUpdate,
} from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import { logIn } from "./mosquitto.ts";
import { runParley } from "./parley.ts";
import { connectAs, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const home = await mkdtemp(join(tmpdir(), "parley-kinds-"));
after(() => rm(home, { recursive: true, force: true }));
const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol");
const conv = "p2p/alice/bob";
const parley = (t: TestContext, ...args: string[]) => runParley(t, { cluster, home }, args);
const dataOf = ({ content }: { content: object }) => (content as { data?: unknown }).data;

test("mentions by each door are counted with what is unread", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "alice", "web");
  const stock = await openStock(t, await logIn(cluster, "alice", "stock"));
  const { token: bobs } = await logIn(cluster, "bob", "web");
  const row = async () => (await callHttp(http, conversationsList, {}, { token: bobs })).conversations[0];
  const before = (await row())?.unread ?? 0;
  const content = { type: "text", data: "hey @bob", mentions: ["@bob"] };
  await callHttp(http, messagesSend, { to: "user/bob", content }, { token });
  await stock.send({ id: "men", to: "user/bob", content: { ...content, mentions: ["bob", "bob", "no such user"] } });
  await parley(t, "send", "bob", "hey", "--mention", "bob", "--user", "alice");
  await parley(t, "send", "bob", "hey", "--user", "alice");
  const now = await row();
  assert.deepEqual([(now?.unread ?? 0) - before, now?.unreadMentions], [4, 3]);
  assert.match((await parley(t, "conversations", "--user", "bob")).out, /p2p\/alice\/bob .*\(\d+, 3 @\)/);
  const { client } = await connectAs(t, cluster, "alice", { from: "now" });
  const mentions = ["@bob"];
  const edited = (seq: number): MessageContent => ({ type: "edit", seq, data: "hey @bob", mentions });
  const edits: ((seq: number) => Promise<unknown>)[] = [
    (seq) => callHttp(http, messagesSend, { to: "user/bob", content: edited(seq) }, { token }),
    (seq) => stock.send({ id: "men edit", to: "user/bob", content: edited(seq) }),
    (seq) => client.edit("user/bob", seq, "hey @bob", { mentions }),
    (seq) => parley(t, "edit", "bob", `${seq}`, "hey @bob", "--mention", "@bob", "--user", "alice"),
  ];
  for (const [index, edit] of edits.entries()) {
    const { seq } = await client.send("user/bob", "hey");
    await edit(seq);
    assert.equal((await row())?.unreadMentions, 4 + index, "also whom an edit adds");
  }
});

test("a poll by each door: votes change, an anonymous one reaches nobody, its end is everybody's", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "bob", "web");
  const alice = await connectAs(t, cluster, "alice", { device: "polls" });
  const stock = await openStock(t, await logIn(cluster, "carol", "stock"));
  const { id } = await callHttp(http, roomsCreate, { name: "Polls", members: ["alice", "carol"] }, { token });
  const room = `room/${id}`;
  const made = await parley(t, "poll", `#${id}`, "Where to?", "Berlin", "Paris", "--user", "bob", "--json");
  const { seq } = JSON.parse(made.out);
  await alice.client.vote(room, seq, [0]);
  await alice.client.vote(room, seq, [1]);
  await stock.send({ id: "v", to: room, content: { type: "vote", seq, options: [1] } });
  await callHttp(http, messagesSend, { to: room, content: { type: "vote", seq, options: [0] } as never }, { token });
  await parley(t, "vote", `#${id}`, `${seq}`, "--user", "bob");
  const state = { options: [{ option: 1, count: 2, uids: ["alice", "carol"] }], voters: 2 };
  assert.deepEqual(await alice.client.request(messagesVotes, { conv: room, seq }), { ...state, mine: [1] });
  const [page] = (await callHttp(http, historyGet, { conv: room, after: seq - 1, limit: 1 }, { token })).messages;
  assert.deepEqual(page?.poll, { ...state, mine: [] });
  await parley(t, "close-poll", `#${id}`, `${seq}`, "--user", "bob");
  assert.match(
    (await parley(t, "votes", `#${id}`, `${seq}`, "--user", "alice")).out,
    /^2: 2, 2 voted, closed\n {2}2: alice, carol/,
  );
  await assert.rejects(alice.client.vote(room, seq, [0]), { code: "conflict" });

  const content = { type: "poll" as const, question: "Who leads?", options: ["ann", "ben"], anonymous: true };
  const secret = (await alice.client.send(room, content)).seq;
  await stock.send({ id: "s", to: room, content: { type: "vote", seq: secret, options: [1] } });
  await callHttp(
    http,
    messagesSend,
    { to: room, content: { type: "vote", seq: secret, options: [1] } as never },
    { token },
  );
  const ballots = () =>
    alice.shown.filter((one) => one.conv === room && (one.content as { seq?: number }).seq === secret);
  await eventually(() => ballots().length >= 2);
  for (const { content: ballot } of ballots()) assert.deepEqual(ballot, { type: "vote", seq: secret });
  await alice.client.closePoll(room, secret);
  const { options } = await callHttp(http, messagesVotes, { conv: room, seq: secret }, { token });
  assert.deepEqual(options, [{ option: 1, count: 2, uids: [] }]);
});

test("a thread by each door: written in, listed, read and followed, and other devices are told", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "bob", "web");
  const notices: string[] = [];
  const alice = await connectAs(t, cluster, "alice", {
    device: "threads",
    listeners: { thread: ({ thread }) => void notices.push(`${thread.unread} ${thread.following}`) },
  });
  const stock = await openStock(t, await logIn(cluster, "bob", "stock"));
  const { seq } = await alice.client.send("user/bob", "about this");
  await alice.client.send("user/bob", "by the SDK", { thread: seq });
  const packet = { to: "user/alice", content: { type: "text", data: "over HTTP" }, thread: seq };
  await callHttp(http, messagesSend, packet, { token });
  await stock.send({ ...packet, id: "th", content: { type: "text", data: "by MQTT" } });
  await stock.send({ ...packet, id: "label", content: { type: "text", data: "elsewhere" }, thread: "a label" });
  await parley(t, "thread", "alice", `${seq}`, "typed", "--user", "bob");
  const texts = ["by the SDK", "over HTTP", "by MQTT", "typed"];
  const { messages } = await callHttp(http, threadsGet, { conv, seq }, { token });
  assert.deepEqual(messages.map(dataOf), texts);
  const [listed] = (await alice.client.request(threadsList, { conv })).threads;
  assert.deepEqual([listed?.seq, listed?.count, listed?.unread, listed?.following], [seq, 4, 3, true]);
  assert.match(
    (await parley(t, "threads", "bob", "--user", "alice")).out,
    new RegExp(`^#${seq}: 4, 3 unread, followed`),
  );
  assert.match(
    (await parley(t, "thread", "bob", `${seq}`, "--read", "--user", "alice")).out,
    /typed\n#\d+: 4, followed\n$/,
  );
  await alice.client.request(threadsUpdate, { conv, seq, following: false });
  await eventually(() => notices.length === 2);
  assert.deepEqual(notices, ["0 true", "0 false"]);
});

test("places, contacts, stickers and calls by each door are what was sent, and shown in words", async (t) => {
  const alice = await connectAs(t, cluster, "alice", { device: "kinds" });
  const stock = await openStock(t, await logIn(cluster, "alice", "stock"));
  const call: MessageContent = { type: "call", media: "audio", outcome: "answered", durationMs: 61_000 };
  await alice.client.send("user/bob", call);
  await stock.send({ id: "kind", to: "user/bob", content: { type: "sticker", emoji: "🎉", mine: [1] } });
  await parley(t, "location", "bob", "52.5", "13.4", "--name", "Café", "--user", "alice");
  await parley(t, "contact", "bob", "Carol C", "--phone", "+49 1", "--user", "alice");
  assert.equal((await parley(t, "location", "bob", "90.5", "13.4", "--user", "alice")).code, 2);
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "bob", "web");
  const { messages } = await callHttp(http, historyGet, { conv, limit: 4 }, { token });
  assert.deepEqual(
    messages.map(({ content }) => content),
    [
      call,
      { type: "sticker", emoji: "🎉", mine: [1] },
      { type: "location", latitude: 52.5, longitude: 13.4, name: "Café" },
      { type: "contact", name: "Carol C", phones: ["+49 1"] },
    ],
  );
  const printed = (await parley(t, "history", "alice", "--limit", "4", "--user", "bob")).out;
  assert.match(
    printed,
    /\(audio call\) answered, 1:01\n.*\(sticker\) 🎉\n.*\(location\) Café 52.5, 13.4\n.*\(contact\) Carol C \+49 1\n/,
  );
});

test("what is no reaction, or no place, is refused in the same words by every door", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "alice", "web");
  const stock = await openStock(t, await logIn(cluster, "alice", "stock"));
  for (const content of [
    { type: "reaction", seq: 1, data: "x".repeat(65) },
    { type: "location", latitude: 91, longitude: 0 },
  ]) {
    const refused = await callHttp(http, messagesSend, { to: "user/bob", content }, { token }).then(
      () => undefined,
      (error) => error,
    );
    const packet = JSON.stringify({ id: `n-${content.type}`, to: "user/bob", content });
    const nack = await stock.ask(stock.session.topics.publish.msg, packet);
    assert.deepEqual([refused?.code, nack.code, nack.message], ["invalid_packet", "invalid_packet", refused?.message]);
  }
});
