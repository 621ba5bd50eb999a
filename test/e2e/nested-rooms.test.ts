// Rooms that what is said in another room goes on to, as devices of Parley's own protocol meet them.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { callHttp, type Message } from "@parley/client";
import {
  accountRemove,
  conversationsList,
  conversationsSetExpiry,
  historyGet,
  login,
  messagesSend,
  roomsBan,
  roomsCreate,
  roomsGet,
  roomsNest,
  roomsUnnest,
} from "@parley/protocol";
import { eventually, startTestCluster, type TestContext } from "@parley/testkit";
import { connectAs, password, registerAll } from "./people.ts";
import { eventuallyFinds } from "./searching.ts";
import { openStock } from "./stock.ts";

const cluster = await startTestCluster({ after });

/** ann, who owns both rooms, carl, who is in the outer one, and ida, who is in the inner one; which begins with messages of its own. */
async function world(t: TestContext, prefix: string) {
  const [ann, carl, ida] = [`${prefix}ann`, `${prefix}carl`, `${prefix}ida`];
  await registerAll(cluster, ann, carl, ida);
  const [{ client: owner }, outer, inner] = [
    await connectAs(t, cluster, ann),
    await connectAs(t, cluster, carl),
    await connectAs(t, cluster, ida),
  ];
  const [out, into] = [`${prefix}out`, `${prefix}in`];
  await owner.request(roomsCreate, { id: into, name: "In", members: [ida] });
  await owner.send(`room/${into}`, "first");
  await owner.send(`room/${into}`, "second");
  await owner.request(roomsCreate, { id: out, name: "Out", members: [carl] });
  await owner.request(roomsNest, { id: out, rooms: [into] });
  const heard = (id: string) =>
    eventually(() => inner.shown.find((one) => one.id === id && one.conv === `room/${into}`));
  const page = async () => (await inner.client.request(historyGet, { conv: `room/${into}`, limit: 500 })).messages;
  return { ann, carl, owner, outer, inner, out, into, heard, page };
}

const about = ({ content }: Message) => (content as { seq?: number }).seq;

test("a copy comes with the way it came, counts as unread, and is in history, sync and search as any message", async (t) => {
  const { carl, outer, inner, out, into, heard, page } = await world(t, "a");
  const { seq } = await outer.client.send(`room/${out}`, "a heron at the pond", { id: "heron" });
  const copy = await heard("heron");
  assert.deepEqual([copy.from, copy.device, copy.via], [carl, `${carl}:sdk`, [{ id: out, seq }]]);
  assert.equal(copy.to, `room/${into}`);
  await eventuallyFinds(inner.client, "heron", ["a heron at the pond"]);
  assert.deepEqual((await page()).at(-1)?.via, [{ id: out, seq }]);
  const { conversations } = await inner.client.request(conversationsList, {});
  assert.deepEqual(
    conversations.map(({ conv, unread }) => [conv, unread]),
    [[`room/${into}`, 3]],
  );
  assert.equal(outer.shown.filter(({ id }) => id === "heron").length, 1);
});

test("nobody but the server says which way a message came, by MQTT or HTTP", async (t) => {
  const { carl, inner, out, into, heard } = await world(t, "b");
  const session = await callHttp(cluster.run().http, login, { username: carl, password, device: "web" });
  const stock = await openStock(t, session);
  const lie = { via: [{ id: into, seq: 1 }] };
  const of = (id: string) => ({ id, to: `room/${out}`, content: { type: "text" as const, data: id }, ...lie });
  await stock.send(of("mqtt"));
  await callHttp(cluster.run().http, messagesSend, of("http"), session).catch((error) => {
    if (error.code !== "invalid_packet") throw error;
  });
  await stock.send(of("behind"));
  await heard("behind");
  const copies = inner.shown.filter(({ via }) => via !== undefined);
  assert.ok(copies.length >= 2);
  assert.deepEqual(new Set(copies.map(({ via }) => JSON.stringify(via?.map(({ id }) => id)))), new Set([`["${out}"]`]));
});

test("edits, answers, reactions, votes and recalls find the copy, also of messages that nobody may mention all in", async (t) => {
  const { ann, owner, outer, inner, out, into, heard, page } = await world(t, "c");
  const { seq } = await outer.client.send(`room/${out}`, "frist", { id: "m1" });
  const place = (await heard("m1")).seq;
  assert.notEqual(place, seq);
  await outer.client.edit(`room/${out}`, seq, "first");
  await owner.react(`room/${out}`, seq, "👍");
  await owner.send(`room/${out}`, "an answer", { id: "m2", reply: seq });
  assert.equal(((await heard("m2")) as { reply?: number }).reply, place);
  const poll = { type: "poll" as const, question: "Tea?", options: ["yes", "no"], anonymous: true };
  const asked = await outer.client.send(`room/${out}`, poll, { id: "m3" });
  await owner.vote(`room/${out}`, asked.seq, [1]);
  await outer.client.closePoll(`room/${out}`, asked.seq);
  await owner.send(`room/${out}`, { type: "text", data: "all of you", mentions: ["@all"] }, { id: "m4" });
  await heard("m4");
  const shown = (await page()).find((one) => one.id === "m1");
  assert.deepEqual(
    [shown?.edited?.content, shown?.reactions?.[0]?.uids],
    [{ type: "edit", seq: place, data: "first" }, [ann]],
  );
  assert.deepEqual((await page()).find((one) => one.id === "m3")?.poll?.options, [{ option: 1, count: 1, uids: [] }]);
  const { conversations } = await inner.client.request(conversationsList, {});
  assert.deepEqual(
    conversations.map(({ unreadMentions = 0 }) => unreadMentions),
    [0],
  );
  await owner.recall(`room/${out}`, seq);
  const recall = await eventually(() => inner.shown.find((one) => one.content.type === "recall"));
  assert.deepEqual([recall.conv, about(recall)], [`room/${into}`, place]);
  assert.equal((await page()).find((one) => one.id === "m1")?.recalled?.by, ann);
  const own = await inner.client.send(`room/${into}`, "ida's own", { id: "m5" });
  await outer.client.send(`room/${out}`, "behind", { id: "m6" });
  await heard("m6");
  assert.equal((await page()).find((one) => one.id === "m5")?.seq, own.seq);
});

test("messages that disappear do in both; members of the inner room may fetch the files of what comes", async (t) => {
  const { owner, outer, inner, out, heard, page } = await world(t, "d");
  const { id } = await outer.client.upload(new File(["the map"], "map.txt"));
  await assert.rejects(inner.client.download(id), { code: "not_found" });
  await outer.client.send(`room/${out}`, { type: "file", file: id }, { id: "file" });
  await heard("file");
  assert.equal(await (await inner.client.download(id)).text(), "the map");
  await owner.request(conversationsSetExpiry, { conv: `room/${out}`, expiry: { seconds: 1, from: "sent" } });
  await outer.client.send(`room/${out}`, "soon gone", { id: "gone" });
  assert.ok((await heard("gone")).expiresAt);
  await eventually(async () => (await page()).find((one) => one.id === "gone")?.recalled?.expired === true);
});

test("a room that nobody may know of is told to members alone; who is banned there comes in by no other room; what ended goes on no more", async (t) => {
  const { carl, owner, outer, inner, out, into, heard } = await world(t, "e");
  assert.deepEqual((await outer.client.request(roomsGet, { id: out })).nested, [{ id: into }]);
  await owner.request(roomsBan, { id: into, uids: [carl] });
  await outer.client.send(`room/${out}`, "let me in", { id: "banned" });
  await owner.send(`room/${out}`, "behind", { id: "behind" });
  await heard("behind");
  await assert.rejects(outer.client.request(roomsUnnest, { id: out, rooms: [into] }), { code: "forbidden" });
  await owner.request(roomsUnnest, { id: out, rooms: [into] });
  await owner.send(`room/${out}`, "no more", { id: "ended" });
  await owner.send(`room/${into}`, "within", { id: "within" });
  await heard("within");
  assert.deepEqual(
    inner.shown.filter(({ id }) => id === "banned" || id === "ended"),
    [],
  );
});

test("an erased user's messages leave the rooms that they went on to, in which it never was", async (t) => {
  const { carl, outer, inner, out, heard, page } = await world(t, "f");
  await outer.client.send(`room/${out}`, "a nightingale", { id: "song" });
  await heard("song");
  await eventuallyFinds(inner.client, "nightingale", ["a nightingale"]);
  const { token } = await callHttp(cluster.run().http, login, { username: carl, password, device: "web" });
  await callHttp(cluster.run().http, accountRemove, { password }, { token });
  await eventually(async () => (await page()).some(({ from, content }) => from === carl && content.type === "erased"), {
    timeoutMs: 60_000,
  });
  await eventuallyFinds(inner.client, "nightingale", []);
  assert.equal(JSON.stringify(await page()).includes("nightingale"), false);
});
