// What is said about messages later, through every door: HTTP, stock MQTT, the SDK, and the command line.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { callHttp, type ScheduledNotice } from "@parley/client";
import {
  conversationsList,
  draftsList,
  historyGet,
  messagesDelete,
  messagesForward,
  messagesReactions,
  messagesReschedule,
  messagesSchedule,
  messagesScheduled,
  messagesSend,
  messagesStar,
  messagesStarred,
  messagesVersions,
  profileUpdate,
  roomsCreate,
} from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import { logIn } from "./mosquitto.ts";
import { runParley } from "./parley.ts";
import { connectAs, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const home = await mkdtemp(join(tmpdir(), "parley-messages-"));
after(() => rm(home, { recursive: true, force: true }));
const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol");
const conv = "p2p/alice/bob";
const parley = (t: TestContext, ...args: string[]) => runParley(t, { cluster, home }, args);
const dataOf = ({ content }: { content: object }) => (content as { data?: unknown }).data;

test("edit, reaction and recall by each door come to the same, live and in pages", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "alice", "web");
  const alice = await connectAs(t, cluster, "alice");
  const stock = await openStock(t, await logIn(cluster, "bob", "stock"));
  const cli = (uid: string, ...args: string[]) => parley(t, ...args, "--user", uid, "--json");
  const seen = async (seq: number) => {
    const { messages } = await callHttp(http, historyGet, { conv, after: seq - 1, limit: 1 }, { token });
    return messages[0];
  };
  const ask = async (method: string, params: object) => {
    const { topics } = stock.session;
    const answer = await stock.ask(topics.publish.rpc, JSON.stringify({ id: crypto.randomUUID(), method, params }));
    return answer.result as never;
  };

  const { seq } = await alice.client.send("user/bob", "first");
  await alice.client.edit("user/bob", seq, "by the SDK");
  const content = { type: "edit", seq, data: "over HTTP" };
  await callHttp(http, messagesSend, { to: "user/bob", content }, { token });
  await cli("alice", "edit", "bob", `${seq}`, "typed", "text");
  await stock.send({ id: "r1", to: "user/alice", content: { type: "reaction", seq, data: "👍" } });
  await alice.client.react("user/bob", seq, "👍");
  await cli("bob", "react", "alice", `${seq}`, "nice one");
  await alice.client.react("user/bob", seq, "👍", { remove: true });

  const message = await seen(seq);
  assert.equal(message?.edited && dataOf(message.edited), "typed text");
  const expected = [
    { reaction: "👍", count: 1, mine: false, uids: ["bob"] },
    { reaction: "nice one", count: 1, mine: false, uids: ["bob"] },
  ];
  assert.deepEqual(message?.reactions, expected);
  assert.deepEqual((await callHttp(http, messagesReactions, { conv, seq }, { token })).reactions, expected);
  const { versions } = await callHttp(http, messagesVersions, { conv, seq }, { token });
  const texts = ["first", "by the SDK", "over HTTP", "typed text"];
  assert.deepEqual(versions.map(dataOf), texts);
  assert.deepEqual(await ask("messages.versions", { conv, seq }), { versions, more: false });
  assert.deepEqual(await alice.client.request(messagesVersions, { conv, seq }), { versions, more: false });
  const printed = (await cli("alice", "versions", "bob", `${seq}`)).out.trim().split("\n");
  assert.deepEqual(
    printed.map((line) => dataOf(JSON.parse(line))),
    texts,
  );
  // Live, each is a message of its own.
  await eventually(() => stock.messages().filter(({ content }) => content?.type === "edit").length === 3);
  await eventually(() => alice.shown.filter(({ content }) => content.type === "reaction").length === 4);

  const plain = await parley(t, "history", "bob", "--user", "alice");
  assert.match(plain.out, /typed text \(edited\) {2}👍 1 {2}nice one 1/);
  await alice.client.recall("user/bob", seq);
  assert.deepEqual((await seen(seq))?.content, { type: "erased" });
  const left = await parley(t, "history", "bob", "--user", "alice");
  assert.match(left.out, /\(recalled by alice\)/);
  assert.doesNotMatch(left.out, /first|typed text/);
  const { seq: next } = await alice.client.send("user/bob", "second");
  await cli("alice", "recall", "bob", `${next}`);
  assert.equal((await seen(next))?.recalled?.by, "alice");
});

test("what a user keeps for itself is changed by each door, and told to its other devices", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "bob", "web");
  const own: string[] = [];
  const note = ({ type }: { type: string }) => void own.push(type);
  const alice = await connectAs(t, cluster, "alice", { device: "own" });
  const phone = await connectAs(t, cluster, "bob", {
    device: "phone",
    listeners: { own: note, star: note, draft: note },
  });
  const { seq } = await alice.client.send("user/bob", "to be starred");
  const { seq: next } = await alice.client.send("user/bob", "to be deleted");

  const back: object[] = [];
  const away = await connectAs(t, cluster, "bob", {
    device: "away",
    listeners: { kept: (kept) => void back.push(kept) },
  });
  const before = back.length;
  await callHttp(http, messagesStar, { conv, seq, tags: ["later"] }, { token });
  away.client.renew();
  await eventually(() => back.length > before && JSON.stringify(back.at(-1)) === '{"drafts":false,"stars":true}');
  await parley(t, "draft", "alice", "we", "could", "--user", "bob");
  await parley(t, "settings", "alice", "--pin", "--name", "Al", "--user", "bob");
  await phone.client.request(messagesDelete, { conv, seqs: [next] });
  await eventually(() => ["conversation", "draft", "star"].every((type) => own.includes(type)));
  assert.equal(phone.client.conversation(conv)?.state?.own?.settings.name, "Al");

  const { stars } = await callHttp(http, messagesStarred, { tag: "later" }, { token });
  assert.deepEqual(
    stars.map(({ message }) => dataOf(message)),
    ["to be starred"],
  );
  assert.deepEqual(
    (await phone.client.request(draftsList, {})).drafts.map(({ text }) => text),
    ["we could"],
  );
  const { conversations } = await callHttp(http, conversationsList, {}, { token });
  assert.deepEqual(
    [conversations[0]?.name, conversations[0]?.pinned, conversations[0]?.lastMessage?.seq],
    ["Al", true, seq],
  );
  assert.match((await parley(t, "starred", "--user", "bob")).out, /to be starred/);
  assert.doesNotMatch((await parley(t, "history", "alice", "--user", "bob")).out, /to be deleted/);
  assert.match((await parley(t, "history", "bob", "--user", "alice")).out, /to be deleted/);
  assert.equal((await parley(t, "delete", "alice", "--up-to", `${next}`, "--user", "bob")).code, 0);
  assert.equal((await parley(t, "delete", "alice", "--user", "bob")).code, 2);
});

test("a message is scheduled, changed and taken back by each door, and sent to all", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "alice", "web");
  const states: string[] = [];
  const note = ({ id, state }: ScheduledNotice) => void states.push(`${id} ${state}`);
  const alice = await connectAs(t, cluster, "alice", { device: "later", listeners: { scheduled: note } });
  const bob = await connectAs(t, cluster, "bob", { device: "later" });
  const stock = await openStock(t, await logIn(cluster, "alice", "stock"));
  const at = Date.now() + 3_600_000;
  const message = (id: string) => ({ id, to: "user/bob", content: { type: "text", data: id } });

  await callHttp(http, messagesSchedule, { at, message: message("later-http") }, { token });
  const sdk = await alice.client.schedule("user/bob", "later-sdk", at + 1);
  const request = { id: "s1", method: "messages.schedule", params: { at: at + 2, message: message("later-mqtt") } };
  const answer = await stock.ask(stock.session.topics.publish.rpc, JSON.stringify(request));
  assert.equal((answer.result as { state: string }).state, "waiting");
  await parley(t, "send", "bob", "later-cli", "--at", "+61m", "--id", "later-cli", "--user", "alice");
  const printed = await parley(t, "scheduled", "--user", "alice");
  assert.deepEqual(printed.out.match(/later-(http|sdk|mqtt|cli)(?= {2})/g), [
    "later-http",
    "later-sdk",
    "later-mqtt",
    "later-cli",
  ]);

  const soon = Date.now() + 500;
  await callHttp(http, messagesReschedule, { id: "later-mqtt", at: soon }, { token });
  await alice.client.request(messagesReschedule, { id: sdk.id, at: soon });
  assert.equal((await parley(t, "reschedule", "later-cli", "changed-cli", "--at", "+1s", "--user", "alice")).code, 0);
  assert.equal((await parley(t, "unschedule", "later-http", "--user", "alice")).code, 0);
  await eventually(() => ["later-mqtt", "later-sdk", "changed-cli"].every((text) => bob.texts().includes(text)));
  await eventually(() => ["later-mqtt sent", "later-http unscheduled"].every((state) => states.includes(state)));
  assert.deepEqual((await callHttp(http, messagesScheduled, {}, { token })).scheduled, []);
});

test("an answer quotes what it answers, and a forward says whose it was, by each door", async (t) => {
  const { http } = cluster.run();
  const { token } = await logIn(cluster, "bob", "web");
  const alice = await connectAs(t, cluster, "alice", { device: "answers" });
  const stock = await openStock(t, await logIn(cluster, "bob", "stock"));
  const { id } = await callHttp(http, roomsCreate, { name: "Forwarded", members: ["alice", "carol"] }, { token });
  const room = `room/${id}`;
  const { seq } = await alice.client.send("user/bob", "shall we?");
  const yes = { to: "user/alice", content: { type: "text", data: "yes" }, reply: seq };
  await callHttp(http, messagesSend, yes, { token });
  await stock.send({ id: "re", to: "user/alice", content: { type: "text", data: "we shall" }, reply: seq });
  await parley(t, "reply", "alice", `${seq}`, "when?", "--user", "bob");
  const last = await alice.client.reply("user/bob", seq, "at seven");
  const { messages } = await alice.client.request(historyGet, { conv, after: seq });
  assert.deepEqual(
    messages.map(({ quoted }) => quoted?.content),
    [1, 2, 3, 4].map(() => ({ type: "text", data: "shall we?" })),
  );
  assert.match((await parley(t, "history", "alice", "--user", "bob")).out, /\[re #\d+ alice: shall we\?\] at seven/);

  await alice.client.edit("user/bob", last.seq, "at eight");
  const place = { conv, seq: last.seq };
  const byHttp = await callHttp(http, messagesForward, { ...place, to: room, id: "f" }, { token });
  assert.deepEqual(await callHttp(http, messagesForward, { ...place, to: room, id: "f" }, { token }), byHttp, "once");
  const { topics } = stock.session;
  const asked = { id: "f2", method: "messages.forward", params: { ...place, to: room } };
  const byMqtt = (await stock.ask(topics.publish.rpc, JSON.stringify(asked))).result as { seq: number };
  await alice.client.forward(conv, last.seq, room);
  await parley(t, "forward", "alice", `${last.seq}`, `#${id}`, "--user", "bob");
  const again = await callHttp(http, messagesForward, { conv: room, seq: byMqtt.seq, to: room }, { token });
  await alice.client.send(room, "faked", { forwarded: { from: "bob", ts: 1 }, quoted: { seq: 1 } });
  const carol = await connectAs(t, cluster, "carol", { device: "reads" });
  const forwards = (await carol.client.request(historyGet, { conv: room, after: byHttp.seq - 1 })).messages;
  assert.equal(again.seq - byHttp.seq, 4);
  const ts = messages.at(-1)?.ts;
  assert.deepEqual(
    forwards.map((message) => [message.from, dataOf(message), message.forwarded, message.quoted]),
    [
      ...["bob", "bob", "alice", "bob", "bob"].map((from) => [from, "at eight", { from: "alice", ts }, undefined]),
      ["alice", "faked", undefined, undefined],
    ],
  );
  await callHttp(
    http,
    profileUpdate,
    { visibility: "contacts" },
    { token: (await logIn(cluster, "alice", "web")).token },
  );
  const unnamed = await callHttp(http, messagesForward, { ...place, to: room }, { token });
  const [hidden] = (await carol.client.request(historyGet, { conv: room, after: unnamed.seq - 1 })).messages;
  assert.deepEqual(hidden?.forwarded, { ts });
});

test("a message that disappears is not sent on, by whoever it was sent, and neither is one of a conversation that has it so", async (t) => {
  const alice = await connectAs(t, cluster, "alice", { device: "brief" });
  const bob = await connectAs(t, cluster, "bob", { device: "brief" });
  const stays = await alice.client.send("user/bob", "stays");
  const day = 24 * 3_600;
  const briefs = [
    await alice.client.send("user/bob", { type: "text", data: "a day" }, { expires: day }),
    await alice.client.send("user/bob", { type: "text", data: "once read" }, { expires: day, expiresFrom: "read" }),
  ];
  await alice.client.setExpiry(conv, { seconds: day, from: "read" });
  briefs.push(await alice.client.send("user/bob", "as all here"));
  await alice.client.edit("user/bob", briefs[2]!.seq, "as all here, edited");
  await alice.client.setExpiry(conv, null);
  for (const { seq } of briefs)
    for (const { client } of [alice, bob])
      await assert.rejects(client.forward(conv, seq, "user/bob"), { code: "forbidden" });
  const { seq } = await bob.client.forward(conv, stays.seq, "user/bob");
  const got = await bob.client.request(historyGet, { conv: "p2p/bob/bob", after: seq - 1 });
  assert.deepEqual(got.messages.map(dataOf), ["stays"]);
});

test("what one may not read is not forwarded: the same answer as for what is not there", async (t) => {
  const { http } = cluster.run();
  const carol = await connectAs(t, cluster, "carol", { device: "curious" });
  const { token } = await logIn(cluster, "alice", "web");
  const alice = await connectAs(t, cluster, "alice", { device: "careful" });
  const { seq } = await alice.client.send("user/bob", "for bob alone");
  const codeOf = (asked: Promise<unknown>) =>
    asked.then(
      () => "done",
      ({ code }) => code,
    );
  assert.equal(await codeOf(carol.client.forward(conv, seq, "user/carol")), "not_member");
  assert.equal(await codeOf(carol.client.forward("p2p/carol/bob", 1, "user/carol")), "invalid_packet");
  assert.equal(await codeOf(carol.client.forward("p2p/bob/carol", 1, "user/carol")), "not_found");
  assert.equal(await codeOf(carol.client.forward("room/no-such", 1, "user/carol")), "not_found");
  const reaction = await alice.client.react("user/bob", seq, "👍");
  for (const [at, to, code] of [
    [seq + 1_000, "user/bob", "not_found"],
    [reaction.seq, "user/bob", "not_found"],
    [seq, "bob", "invalid_packet"],
    [seq, "user/no-such-user", "not_found"],
    [seq, "room/no-such", "not_found"],
  ] as const)
    assert.equal(await codeOf(callHttp(http, messagesForward, { conv, seq: at, to }, { token })), code, to);
  await alice.client.recall("user/bob", seq);
  assert.equal(await codeOf(alice.client.forward(conv, seq, "user/bob")), "not_found");
});
