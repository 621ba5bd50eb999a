// What any replica of history tells push, whoever holds what and whoever asked before: as much as every answer of its holder.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PushStateReply, p2pConv } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { keepingMemberships } from "../src/keep/memberships.ts";
import { deleteMessages } from "../src/own/delete.ts";
import { pushState } from "../src/read/push/push-state.ts";
import { takeDoors } from "../src/write/doors.ts";
import { change, type Writer } from "../src/write/writer.ts";
import { itemOf, type Side, type Sides, startSides } from "./replicas.ts";

const others = Array.from({ length: 12 }, (_, at) => `u${at}`);
const room = "room/all";
const convs = [room, ...others.map((other) => p2pConv(other, "ben"))];

const ask = async (side: Side, conv: string, seq: number): Promise<PushStateReply> =>
  JSON.parse(await pushState(side, { asked: [{ uid: "ben", conv, seq }] }));
const unread = async (side: Side, conv = room) => {
  const { badges, states } = await ask(side, conv, 1);
  return [badges.ben, states[0]?.unread];
};

for (const engine of ["sqlite", "mongodb"] as const) {
  test(`push and replicas of history on ${engine}`, async (t) => {
    if (!(await startSides(t, engine))) return t.skip("no MongoDB here");
    const withSides = (title: string, work: (sides: Sides) => Promise<void>) =>
      t.test(title, async (t) => work((await startSides(t, engine)) as Sides));
    await withSides("what the holder acknowledged is counted at once by every replica that counted before", counted);
    await withSides("a replica that has long counted nothing counts what came meanwhile", longAway);
    await withSides("a replica that takes a partition over counts what its holder before took back", takenOver);
    await withSides("what moves while it is counted is counted once", movedMeanwhile);
    await withSides("a member that is removed while it is counted counts the room no more", removedMeanwhile);
    await withSides("what was added up before is added up anew where anything came, whoever stored it", addedUp);
    await withSides("what the holder says of a message, every replica says", sameStates);
  });
}

test("a message whose time is over since it was read is told to nobody, before it is swept too", async (t) => {
  const side = await ((await startSides(t, "sqlite")) as Sides).add();
  const conv = p2pConv("ann", "ben");
  await side.hold(conv);
  await side.send({ ...itemOf("ann", conv, "1"), expires: { seconds: 60, from: "read" } });
  const shown = async () => (await ask(side, conv, 1)).messages[`${conv} 1`] !== null;
  await side.receipt({ conv, uid: "ben", read: 1 });
  assert.equal(await shown(), true);
  await side.partitions.release(conversationPartition(conv), "lost");
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() + 61_000 });
  assert.equal(await shown(), false);
});

async function two(sides: Sides): Promise<[holder: Side, other: Side]> {
  const [holder, other] = [await sides.add(), await sides.add()];
  await holder.hold(...convs);
  await holder.change(room, { event: "create", by: "ann", uids: ["ben"], name: "All" });
  await Promise.all(others.map((from) => holder.say(from, p2pConv(from, "ben"), "1")));
  return [holder, other];
}

async function counted(sides: Sides): Promise<void> {
  const [holder, other] = await two(sides);
  const check = async (badge: number, ofRoom: number, title: string) => {
    for (const side of [other, holder]) {
      assert.deepEqual(await unread(side), [badge, ofRoom], title);
      const listed = (await side.list("ben")).conversations.reduce((sum, one) => sum + one.unread, 0);
      assert.equal(listed, badge, title);
    }
  };
  await check(12, 0, "as they are");
  await holder.say("ann", room, "1");
  await check(13, 1, "one more");
  const conv = p2pConv("u1", "ben");
  const seq = await holder.say("u1", conv, "2");
  await check(14, 1, "two more");
  await holder.send({ ...itemOf("u1", conv, "r"), type: "recall", body: recallBody(seq) });
  await check(13, 1, "one taken back");
  await holder.receipt({ conv, uid: "ben", read: 9 });
  await check(12, 1, "one read");
  await holder.say("ben", p2pConv("u2", "ben"), "2");
  await check(11, 1, "one answered");
  const caller = { uid: "ben", via: "service" as const };
  await deleteMessages({ ...other, tell: () => undefined }, { conv: p2pConv("u3", "ben"), upTo: 1 }, caller);
  await check(10, 1, "one deleted");
  await holder.change(room, { event: "remove", by: "ann", uids: ["ben"] });
  await check(9, 0, "out of the room");
}

function recallBody(seq: number): Uint8Array {
  return Buffer.from(JSON.stringify({ id: "r", to: "user/ben", content: { type: "recall", seq } }));
}

async function longAway(sides: Sides): Promise<void> {
  const [holder, other] = await two(sides);
  assert.deepEqual(await unread(other), [12, 0]);
  const from = (await other.store.log.last(conversationPartition(room))).pos;
  for (let at = 0; at < 21; at++) await Promise.all(batch(at).map((id) => holder.say("ann", room, id)));
  assert.ok((await other.store.log.last(conversationPartition(room))).pos - from > 2_000);
  assert.deepEqual(await unread(other), [12 + 2_100, 2_100]);
  await holder.say("ann", room, "last");
  assert.deepEqual(await unread(other), [12 + 2_101, 2_101]);
}

const batch = (at: number) => Array.from({ length: 100 }, (_, index) => `${at}.${index}`);

async function takenOver(sides: Sides): Promise<void> {
  const [holder, other] = await two(sides);
  const conv = p2pConv("u1", "ben");
  assert.deepEqual(await unread(other, conv), [12, 1]);
  await holder.send({ ...itemOf("u1", conv, "r"), type: "recall", body: recallBody(1) });
  await holder.partitions.release(conversationPartition(conv), "lost");
  await other.hold(conv);
  await other.say("u1", conv, "2");
  assert.deepEqual(await unread(other, conv), [12, 1]);
}

async function movedMeanwhile(sides: Sides): Promise<void> {
  const [holder, other] = await two(sides);
  const conv = p2pConv("u1", "ben");
  // Each answer by ben leaves nothing unread, each message by u1 one.
  for (let at = 0; at < 30; at++) {
    const [said, [badge, ofConv]] = await Promise.all([holder.say("u1", conv, `q${at}`), unread(other, conv)]);
    assert.ok(ofConv === 1 || ofConv === 2 || (at > 0 && ofConv === 0), `${ofConv} of ${said}`);
    assert.equal(badge, 11 + (ofConv ?? 0));
    const [, [, answered]] = await Promise.all([holder.say("ben", conv, `a${at}`), unread(other, conv)]);
    assert.ok(answered === 0 || answered === 1 || answered === 2, `${answered}`);
    assert.deepEqual(await unread(other, conv), [11, 0]);
  }
}

async function removedMeanwhile(sides: Sides): Promise<void> {
  const [holder] = await two(sides);
  await holder.say("ann", room, "1");
  let meanwhile = async () => {
    await holder.change(room, { event: "remove", by: "ann", uids: ["ben"] });
  };
  const other = await sides.add((store) => {
    const find: typeof store.members.find = async (query) => {
      const found = await store.members.find(query);
      if (query.equals?.[0] !== "ben") return found;
      const work = meanwhile;
      meanwhile = async () => undefined;
      await work();
      return found;
    };
    const get = (members: typeof store.members, name: keyof typeof store.members) =>
      name === "find" ? find : members[name].bind(members);
    return { ...store, members: new Proxy(store.members, { get }) as typeof store.members };
  });
  assert.deepEqual(await unread(other), [12, 0]);
}

async function addedUp(sides: Sides): Promise<void> {
  const [holder] = await two(sides);
  const other = await sides.add((store) => ({ ...store, ...keepingMemberships(store.members) }));
  for (let times = 0; times < 3; times++) assert.deepEqual(await unread(other), [12, 0]);
  for (const from of ["u1", "u2"]) await holder.say(from, p2pConv(from, "ben"), "2");
  assert.deepEqual(await unread(other), [14, 0]);
}

async function sameStates(sides: Sides): Promise<void> {
  const [holder, other] = await two(sides);
  const conv = p2pConv("u1", "ben");
  const said = await holder.say("ann", room, "hi");
  const mention = await holder.send({ ...itemOf("ann", room, "m"), mentions: { uids: ["ben"], all: false } });
  const seqs = [1, said, "seq" in mention ? mention.seq : 0];
  const edit = { id: "e", to: room, content: { type: "edit", seq: said, data: "hi!" } };
  await holder.send({ ...itemOf("ann", room, "e"), type: "edit", body: Buffer.from(JSON.stringify(edit)) });
  const same = async () => {
    for (const seq of seqs) assert.deepEqual(await ask(other, room, seq), await ask(holder, room, seq));
    assert.deepEqual(await ask(other, conv, 1), await ask(holder, conv, 1));
    return ask(other, room, said);
  };
  const { states, messages, rooms } = await same();
  assert.deepEqual(messages[`${room} ${said}`]?.content, { type: "text", data: "hi!" });
  assert.deepEqual([states[0]?.mayRead, rooms[room]], [true, "All"]);
  assert.equal((await ask(other, room, seqs[2]!)).states[0]?.mentioned, true);
  await takeDoors(holder, { doors: [{ owner: "ben", other: "ann", version: 1, blocked: true, contact: false }] });
  assert.equal((await same()).states[0]?.mayRead, false);
  const event = { event: "update" as const, by: "ann", uids: [] };
  const renamed = { conv: room, id: "name", device: "api", origin: "api", event, patch: { name: "Everything" } };
  await change(holder.partitions.writer(conversationPartition(room)) as Writer, renamed);
  assert.equal((await same()).rooms[room], "Everything");
}
