// What history tells push: of messages to users, of what is unread, and of who has read on; over NATS, with its data on disk.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  conversationsUpdate,
  limits,
  type MembershipEvent,
  messagesDelete,
  type PushAsked,
  type PushStateReply,
  p2pConv,
  pushAskedMax,
  type ReadOn,
  subjects,
} from "@parley/protocol";
import { callMethod, requestJson } from "@parley/runtime";
import { eventually } from "@parley/testkit";
import { about, startTestHistory, type TestHistory } from "./surroundings.ts";

const timeoutMs = 30_000;
const p2p = p2pConv("ann", "ben");
let version = 0;

const asking = (history: TestHistory) => async (asked: readonly PushAsked[]) =>
  requestJson<PushStateReply>(history.nats, subjects.pushState, { asked }, { timeoutMs });

/** What is answered about one message to one user. */
const askingOne = (history: TestHistory) => async (uid: string, conv: string, seq: number, clientId?: string) => {
  const asked = { uid, conv, seq, ...(clientId !== undefined && { clientId }) };
  const { states, messages, badges, rooms } = await asking(history)([asked]);
  return { state: states[0]!, message: messages[`${conv} ${seq}`], badge: badges[uid], room: rooms[conv] };
};

const asUser = (uid: string) => ({ uid, via: "service" as const });
const block = (history: TestHistory, owner: string, other: string, blocked: boolean) =>
  history.doors({ owner, other, version: ++version, blocked, contact: false });

test("push is told of a message what its user would find now", async (t) => {
  const history = await startTestHistory(t);
  const one = askingOne(history);
  const first = await history.say("ann", "ben", "hello");
  const mayRead = async (uid: string, conv: string, seq: number, clientId?: string) =>
    (await one(uid, conv, seq, clientId)).state.mayRead;

  await t.test("a message that is new: as it was sent, unread, of no room", async () => {
    const { state, message, badge, room } = await one("ben", p2p, first);
    assert.deepEqual(state, { mayRead: true, readSeq: 0, unread: 1 });
    assert.deepEqual(message, (await history.get("ben", { conv: p2p })).messages[0]);
    assert.deepEqual([badge, room], [1, undefined]);
  });

  await t.test("what is read meanwhile, and how much is left", async () => {
    const second = await history.say("ann", "ben", "more");
    await history.receipt({ conv: p2p, uid: "ben", read: first });
    const { state, badge } = await one("ben", p2p, second);
    assert.deepEqual([state.readSeq, state.unread, badge], [first, 1, 1]);
    const own = await history.say("ben", "ann", "answer");
    const after = await one("ben", p2p, own);
    assert.deepEqual([after.state.unread, after.badge], [0, 0], "who answers has read");
  });

  await t.test("a mute as long as it lasts, and the user's own name for the conversation", async () => {
    const update = (params: { mutedUntil?: number; name?: string }) =>
      callMethod(history.nats, conversationsUpdate, asUser("ben"), { conv: p2p, ...params }, { timeoutMs });
    const until = Date.now() + 3_600_000;
    await update({ mutedUntil: until, name: "Mum" });
    const { state } = await one("ben", p2p, first);
    assert.deepEqual([state.mutedUntil, state.name], [until, "Mum"]);
    await update({ mutedUntil: Date.now() - 1 });
    assert.equal((await one("ben", p2p, first)).state.mutedUntil, undefined);
    assert.equal((await one("ann", p2p, first)).state.name, undefined);
  });

  await t.test("an edited message as it was edited last, a recalled one not at all", async () => {
    const seq = await history.say("ann", "ben", "frist");
    for (const data of ["fisrt", "first"]) await history.say("ann", "ben", data, about("edit", seq, { data }));
    const { message } = await one("ben", p2p, seq);
    assert.deepEqual(message?.content, { type: "text", data: "first" });
    const before = await one("ben", p2p, seq);
    await history.say("ann", "ben", "recall", about("recall", seq));
    const after = await one("ben", p2p, seq);
    assert.equal(after.message, null);
    assert.deepEqual([after.state.unread, after.badge], [before.state.unread - 1, (before.badge ?? 0) - 1]);
  });

  await t.test("a message whose time is over is none any more", async () => {
    const seq = await history.say("ann", "ben", "short", { expires: { seconds: 1, from: "sent" } });
    await eventually(async () => (await one("ben", p2p, seq)).message === null);
  });

  await t.test("none that its user has deleted: one by one, or all up to one", async () => {
    const [hidden, kept, last] = [
      await history.say("ann", "ben", "d1"),
      await history.say("ann", "ben", "d2"),
      await history.say("ann", "ben", "d3"),
    ];
    const unread = (await one("ben", p2p, last)).badge!;
    const remove = (params: { seqs?: number[]; upTo?: number }) =>
      callMethod(history.nats, messagesDelete, asUser("ben"), { conv: p2p, ...params }, { timeoutMs });
    await remove({ seqs: [hidden] });
    assert.deepEqual([await mayRead("ben", p2p, hidden), await mayRead("ben", p2p, kept)], [false, true]);
    assert.equal((await one("ben", p2p, last)).badge, unread - 1);
    await remove({ upTo: kept });
    assert.deepEqual([await mayRead("ben", p2p, kept), await mayRead("ben", p2p, last)], [false, true]);
    assert.equal((await one("ben", p2p, last)).badge, 1);
    assert.equal(await mayRead("ann", p2p, hidden), true, "nobody else");
  });

  await t.test("nothing of whom the user has blocked, in rooms too", async () => {
    await history.change("tea", { event: "create", by: "ann", uids: ["ben", "cat"], name: "Tea" });
    const [anns, cats] = [await history.say("ann", "room/tea", "t1"), await history.say("cat", "room/tea", "t2")];
    const last = (await history.get("ben", { conv: p2p })).lastSeq;
    const readable = async () => [
      await mayRead("ben", p2p, last),
      await mayRead("ben", "room/tea", anns),
      await mayRead("ben", "room/tea", cats),
    ];
    assert.deepEqual(await readable(), [true, true, true]);
    await block(history, "ben", "ann", true);
    assert.deepEqual(await readable(), [false, false, true]);
    assert.equal(await mayRead("cat", "room/tea", anns), true);
    await block(history, "ben", "ann", false);
    assert.deepEqual(await readable(), [true, true, true]);
    assert.equal((await one("ben", "room/tea", anns)).room, "Tea");
  });
});

test("push is told who is in a room, with which device, and who is asked in", async (t) => {
  const history = await startTestHistory(t);
  const one = askingOne(history);
  const conv = "room/den";
  const change = (event: MembershipEvent, more = {}) => history.change("den", event, more);
  const mayRead = async (uid: string, seq: number, clientId?: string) =>
    (await one(uid, conv, seq, clientId)).state.mayRead;
  await change({ event: "create", by: "ann", uids: ["ben", "cat"], name: "Den", devices: { cat: ["cat:pc"] } });
  const seq = await history.say("ann", conv, "1");

  await t.test("nothing that was said after a member was removed, or before it came in", async () => {
    assert.equal(await mayRead("ben", seq), true);
    await change({ event: "remove", by: "ann", uids: ["ben"] });
    const later = await history.say("ann", conv, "2");
    assert.deepEqual([await mayRead("ben", seq), await mayRead("ben", later)], [true, false]);
    assert.equal((await one("ben", conv, later)).badge, 0, "a room that was left counts no more");
    await change({ event: "invite", by: "ann", uids: ["ben"] });
    assert.deepEqual([await mayRead("ben", later), await mayRead("eve", later)], [false, false]);
    assert.equal(await mayRead("ben", await history.say("ann", conv, "3")), true);
  });

  await t.test("who was gone before a message was edited is not told what it says now", async () => {
    const secret = await history.say("ann", conv, "plain");
    await change({ event: "remove", by: "ann", uids: ["ben"] });
    await history.say("ann", conv, "edit", about("edit", secret, { data: "for those who are there" }));
    assert.deepEqual([await mayRead("ben", secret), await mayRead("cat", secret, "cat:pc")], [false, true]);
  });

  await t.test("a member that is there with some devices: these alone, and their badge without the room", async () => {
    assert.deepEqual([await mayRead("cat", seq, "cat:pc"), await mayRead("cat", seq, "cat:phone")], [true, false]);
    await history.say("ann", "cat", "alone");
    const badges = async (clientId?: string) => {
      const { state, badge } = await one("cat", p2pConv("ann", "cat"), 1, clientId);
      return [state.badge, badge];
    };
    const all = (await history.list("cat")).conversations.reduce((sum, { unread }) => sum + unread, 0);
    assert.ok(all > 1);
    assert.deepEqual([await badges("cat:pc"), await badges("cat:phone"), await badges()], [
      [all, all],
      [1, all],
      [undefined, all],
    ]); // biome-ignore format: one line reads better
  });

  await t.test("mentions: by name, of all, and those that an edit makes", async () => {
    const mentioned = async (uid: string, seq: number) => (await one(uid, conv, seq)).state.mentioned === true;
    const says = (id: string, uids: string[], all = false) => history.say("ann", conv, id, { mentions: { uids, all } });
    await change({ event: "invite", by: "ann", uids: ["ben"] });
    const [named, toAll, edited] = [await says("m1", ["ben"]), await says("m2", [], true), await says("m3", [])];
    assert.deepEqual([await mentioned("ben", named), await mentioned("cat", named)], [true, false]);
    assert.deepEqual([await mentioned("ben", toAll), await mentioned("cat", toAll)], [true, true]);
    assert.equal(await mentioned("ben", edited), false);
    const edit = (data: string, uids: string[], all: boolean) => ({ ...about("edit", edited, { data }), mentions: { uids, all } }); // biome-ignore format: one line reads better
    await history.say("ann", conv, "e1", edit("@ben", ["ben"], false));
    assert.deepEqual([await mentioned("ben", edited), await mentioned("cat", edited)], [true, false]);
    await history.say("ann", conv, "e2", edit("@all", [], true));
    assert.equal(await mentioned("cat", edited), true);
  });

  await t.test("an invitation as long as it stands", async () => {
    const ask = { askFirst: ["dan", "eve"] };
    const { seq } = await change(
      { event: "invite", by: "ann", uids: ["dan", "eve"], devices: { eve: ["eve:pc"] } },
      ask,
    );
    const invited = async (uid: string, clientId?: string) => {
      const { state } = await one(uid, conv, seq, clientId);
      return [state.isInvited === true, state.mayRead];
    };
    assert.deepEqual(
      [await invited("dan"), await invited("ben")],
      [
        [true, false],
        [false, true],
      ],
    );
    assert.deepEqual(
      [await invited("eve", "eve:pc"), await invited("eve", "eve:phone")],
      [
        [true, false],
        [false, false],
      ],
    );
    assert.equal((await one("dan", conv, seq)).room, "Den");
    assert.equal((await one("dan", conv, seq)).message?.content.type, "event");
    await block(history, "eve", "ann", true);
    assert.deepEqual(await invited("eve", "eve:pc"), [false, false], "of whom one has blocked");
    await change({ event: "refuse", by: "dan", uids: ["dan"] });
    assert.deepEqual(await invited("dan"), [false, false]);
  });
});

test("a badge is the sum of what the user's list shows, whatever changes, also from one look to the next", async (t) => {
  const history = await startTestHistory(t, undefined, { HISTORY_FOLD_MS: "100" });
  const others = Array.from({ length: 150 }, (_, at) => `u${at}`);
  await Promise.all(others.map((other) => history.say(other, "ben", "1")));
  await history.change("all", { event: "create", by: "ann", uids: ["ben", "cat"], name: "All" });
  const check = async (title: string) => {
    const { conversations } = await history.list("ben", { limit: 500 });
    const listed = conversations.reduce((sum, { unread }) => sum + unread, 0);
    const { badges, states } = await asking(history)([{ uid: "ben", conv: "room/all", seq: 1 }]);
    assert.equal(badges.ben, listed, title);
    assert.equal(states[0]?.unread, conversations.find(({ conv }) => conv === "room/all")?.unread ?? 0, title);
    return listed;
  };
  assert.equal(await check("as they are"), 150);
  await history.say("u1", "ben", "2");
  assert.equal(await check("one more"), 151);
  await history.say("ann", "room/all", "3");
  assert.equal(await check("in a room"), 152);
  await history.receipt({ conv: p2pConv("u1", "ben"), uid: "ben", read: 2 });
  assert.equal(await check("one is read"), 150);
  await history.say("ben", "u2", "answer");
  assert.equal(await check("one is answered"), 149);
  const recalled = await history.say("u3", "ben", "oh");
  assert.equal(await check("and one more"), 150);
  await history.say("u3", "ben", "recall", about("recall", recalled));
  assert.equal(await check("which is taken back"), 149);
  await callMethod(history.nats, messagesDelete, asUser("ben"), { conv: p2pConv("u4", "ben"), upTo: 1 }, { timeoutMs });
  assert.equal(await check("one is deleted"), 148);
  await history.change("all", { event: "remove", by: "ann", uids: ["ben"] });
  assert.equal(await check("out of the room"), 147);
  await history.change("all", { event: "invite", by: "ann", uids: ["ben"] });
  await history.say("cat", "room/all", "4");
  assert.equal(await check("and back"), 148);
  await history.restart();
  assert.equal(await check("after a start"), 148);
  await Promise.all(
    others.slice(0, 20).map(async (other, at) => {
      await history.say(other, "ben", `again ${at}`);
      await check("while others write").catch(() => undefined);
    }),
  );
  assert.equal(await check("when all is quiet"), 168);
});

test("a reply holds as many as it has room for, at least one, each message once; the rest is asked for again", async (t) => {
  const history = await startTestHistory(t);
  const uids = ["ben", "cat", "dan"];
  await history.change("big", { event: "create", by: "ann", uids, name: "Big" });
  const text = "x".repeat(40_000);
  const seqs: number[] = [];
  for (let at = 0; at < 20; at++) {
    const packet = { id: `${at}`, to: "room/big", content: { type: "text", data: text } };
    seqs.push(await history.say("ann", "room/big", `${at}`, { body: Buffer.from(JSON.stringify(packet)) }));
  }
  const asked = seqs.flatMap((seq) => uids.map((uid) => ({ uid, conv: "room/big", seq })));
  const answered: number[] = [];
  for (let at = 0; at < asked.length; ) {
    const reply = await asking(history)(asked.slice(at));
    assert.ok(reply.states.length > 0 && Buffer.byteLength(JSON.stringify(reply)) <= limits.requestBytes);
    const places = new Set(asked.slice(at, at + reply.states.length).map(({ conv, seq }) => `${conv} ${seq}`));
    assert.deepEqual(Object.keys(reply.messages).toSorted(), [...places].toSorted());
    at += reply.states.length;
    answered.push(reply.states.length);
  }
  assert.ok(answered.length > 1 && answered[0]! >= 30, String(answered));
  const many = Array.from({ length: pushAskedMax + 1 }, () => asked[0]!);
  for (const wrong of [many, [], [{ ...asked[0], seq: 0 }], [{ ...asked[0], uid: "a b" }], [{ ...asked[0], conv: "x" }], [null]]) // biome-ignore format: one line reads better
    await assert.rejects(asking(history)(wrong as PushAsked[]), { code: "invalid_packet" });
});

test("that a user has read on is told once it really has: the last of many, with the device that read", async (t) => {
  const history = await startTestHistory(t);
  const told: ReadOn["reads"][] = [];
  const listening = history.nats.subscribe(subjects.readOn, {
    callback(_, message) {
      told.push(message.json<ReadOn>().reads);
    },
  });
  t.after(() => listening.unsubscribe());
  const [first, second, last] = [
    await history.say("ann", "ben", "1"),
    await history.say("ann", "ben", "2"),
    await history.say("ann", "ben", "3"),
  ];
  const receipt = (mark: object) => history.receipt({ conv: p2p, uid: "ben", clientId: "ben:pc", ...mark });
  const latest = () => told.at(-1)?.at(-1);
  const cats = await history.say("ann", "cat", "1");
  await history.receipt({ conv: p2pConv("ann", "cat"), uid: "cat", delivered: cats });
  await Promise.all([receipt({ read: first }), receipt({ read: second })]);
  await eventually(() => latest()?.seq === second);
  assert.deepEqual(latest(), { uid: "ben", conv: p2p, seq: second, clientId: "ben:pc" });
  for (const read of [first, second]) await receipt({ read });
  await history.receipt({ conv: p2p, uid: "ben", read: last });
  await eventually(() => latest()?.seq === last);
  assert.deepEqual(latest(), { uid: "ben", conv: p2p, seq: last });
  const seqs = told.flat().map(({ seq }) => seq);
  assert.deepEqual([...new Set(seqs)], seqs, "no mark twice");
  assert.ok(
    told.every((reads) => reads.length === 1 && reads[0]?.uid === "ben"),
    "what was delivered is not read",
  );
});
