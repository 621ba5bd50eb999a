// Groups of mqtt-chat: lists that clients write, invitations and profiles, each with the rights that its user has.
import assert from "node:assert/strict";
import { test } from "node:test";
import { mqttChat } from "../../src/dialects/mqtt-chat/mqtt-chat.ts";
import { AppError } from "../../src/errors.ts";
import { roomsInvite, roomsJoin, roomsLeave, roomsMembers } from "../../src/methods/members.ts";
import { roomsCreate, roomsGet, roomsList, roomsUpdate } from "../../src/methods/rooms.ts";
import { published, type RecordedParley, recordParley, stored, treeOf } from "../recorded-parley.ts";
import { roomOf } from "./rooms.ts";

const filters = ["ada/o/+", "tea/g/+"];

/** A group whose members, of whom `ada` may be one, are what the answers say. */
function open(uids: string[], more: { room?: object; refusal?: AppError } = {}) {
  const parley = recordParley("ada", filters);
  const isMember = uids.includes("ada");
  const room = roomOf("tea", "bob", { ...(isMember ? { role: "member" } : { role: undefined }), ...more.room });
  const { role, ...outside } = room;
  parley.answer(roomsGet, () => (isMember ? { ...outside, role } : outside));
  const row = { name: "", nick: "", avatar: "", role: "member" as const, joinSeq: 1 };
  parley.answer(roomsMembers, () => {
    if (!isMember) throw new AppError("not_member");
    return { members: uids.map((uid) => ({ uid, ...row })), next: null };
  });
  const changed = (added: string[]) => {
    if (more.refusal) throw more.refusal;
    return { seq: 9, uids: added };
  };
  parley.answer(roomsInvite, ({ uids: added }) => changed(added));
  parley.answer(roomsJoin, () => changed(["ada"]));
  parley.answer(roomsLeave, () => changed(["ada"]));
  parley.answer(roomsUpdate, () => ({ ...outside, ...(more.refusal ? changed([]) : {}) }));
  return { parley, speaker: mqttChat.open(treeOf("ada"), parley) };
}

function changesOf({ asks }: RecordedParley) {
  return asks.filter(([what]) => what !== "rooms.get" && what !== "rooms.members");
}

function wordsIn({ said }: RecordedParley): string[] {
  return said.filter(({ topic }) => topic === "ada/o/m").map(({ payload }) => JSON.parse(`${payload}`).m as string);
}

test("a published list is taken as coming in, going out or adding others, and as nothing else", async () => {
  const cases: [members: string[], published: string[], asked: unknown[]][] = [
    [["bob"], ["bob", "ada"], [["rooms.join", { id: "tea" }]]],
    [["bob"], ["bob", "ada", "eve"], [["rooms.join", { id: "tea" }]]],
    [["bob"], ["bob"], []],
    [["ada", "bob"], ["bob"], [["rooms.leave", { id: "tea" }]]],
    [["ada", "bob"], [], [["rooms.leave", { id: "tea" }]]],
    [["ada", "bob"], ["ada", "bob", "eve", "eve"], [["rooms.invite", { id: "tea", uids: ["eve"] }]]],
    [["ada", "bob"], ["ada"], []],
    [["ada", "bob"], ["ada", "bob"], []],
    [["ada", "bob"], ["ada", "bob", "no such uid", ""], []],
  ];
  for (const [members, list, asked] of cases)
    for (const payload of [{ m: list }, { g: "tea", members: list }]) {
      const { parley, speaker } = open(members);
      await speaker.take(published("tea/g/e", payload));
      assert.deepEqual(changesOf(parley), asked, JSON.stringify(payload));
    }
});

test("a device that published another list than is so is told the true one", async () => {
  const { parley, speaker } = open(["ada", "bob"], { refusal: new AppError("forbidden", "only admins invite") });
  await speaker.take(published("tea/g/e", { m: ["ada", "bob", "eve"] }));
  assert.match(wordsIn(parley).join(), /members of tea not changed: only admins invite/);
  assert.deepEqual(parley.said.at(-1), { topic: "tea/g/e", payload: '{"m":["ada","bob"]}' });

  const { parley: quiet, speaker: same } = open(["ada", "bob"]);
  await same.take(published("tea/g/e", { m: ["bob", "ada"] }));
  assert.deepEqual(quiet.said, []);
});

test("who is not let in is told so", async () => {
  const { parley, speaker } = open(["bob"], {
    refusal: new AppError("forbidden", "this room takes members by invitation only"),
  });
  await speaker.take(published("tea/g/e", { m: ["bob", "ada"] }));
  assert.match(wordsIn(parley).join(), /by invitation only/);
});

test("a free id becomes a group of whoever writes to it first, and every member may add others", async () => {
  const parley = recordParley("ada", filters);
  parley.answer(roomsCreate, ({ id = "" }) => roomOf(id, "ada"));
  await mqttChat.open(treeOf("ada"), parley).take(published("tea/g/e", { m: ["ada"] }));
  assert.deepEqual(changesOf(parley), [["rooms.create", { id: "tea", name: "tea", settings: { invite: "member" } }]]);
});

test("an id that cannot be a room's, or is a user's, is refused in words", async () => {
  const parley = recordParley("ada", ["ada/o/+"]);
  parley.answer(roomsCreate, () => {
    throw new AppError("conflict", "the name bob is taken");
  });
  const speaker = mqttChat.open(treeOf("ada"), parley);
  await speaker.take(published("tea room/g/e", { m: ["ada"] }));
  await speaker.take(published("bob/g/e", { m: ["ada"] }));
  await speaker.take(published(`${"x".repeat(129)}/g/p`, { name: "x" }));
  const words = wordsIn(parley);
  assert.match(words[0] ?? "", /1 to 128 characters/);
  assert.match(words[1] ?? "", /the name bob is taken/);
  assert.match(words[2] ?? "", /1 to 128 characters/);
});

test("what is no list, profile or invitation is refused in words, and an empty payload is nothing", async () => {
  const { parley, speaker } = open(["ada", "bob"]);
  for (const topic of ["tea/g/e", "tea/g/p", "bob/o/i"]) await speaker.take(published(topic, "{"));
  assert.equal(wordsIn(parley).length, 3);
  for (const topic of ["tea/g/e", "tea/g/p", "tea/g/m"]) await speaker.take(published(topic, ""));
  assert.equal(wordsIn(parley).length, 3);
  assert.deepEqual(parley.asks, []);
});

test("changes of one group are made one after the other, in the order in which they were published", async () => {
  const { parley, speaker } = open(["ada"]);
  let under = 0;
  parley.answer(roomsInvite, async ({ uids }) => {
    assert.equal(++under, 1, "two at once");
    await new Promise(setImmediate);
    under--;
    return { seq: 2, uids };
  });
  const invited = ["bob", "carol", "dave"];
  await Promise.all(invited.map((uid) => speaker.take(published(`${uid}/o/i`, { name: "Tea", groupId: "tea" }))));
  assert.deepEqual(
    changesOf(parley).map(([, asked]) => (asked as { uids: string[] }).uids),
    invited.map((uid) => [uid]),
  );
  assert.deepEqual(parley.said, []);
});

test("a group's profile changes what differs, and nothing where nothing does", async () => {
  const { parley, speaker } = open(["ada", "bob"]);
  const profile = { name: "Tea", image: "", message: "renamed", senderId: "ada" };
  await speaker.take(published("tea/g/p", profile));
  assert.deepEqual(changesOf(parley), []);
  await speaker.take(published("tea/others/profile", { ...profile, name: "Tea 2", image: "http://x/g.png" }));
  assert.deepEqual(changesOf(parley), [["rooms.update", { id: "tea", name: "Tea 2", avatar: "http://x/g.png" }]]);
});

const event = (seq: number, data: object) =>
  stored("room/tea", seq, "bob", { type: "event", data: { by: "bob", ...data } } as { type: string });

test("who came in or went is told as the whole list, as long as the device's own user is on it", async () => {
  const { speaker } = open(["ada", "bob"]);
  const lists: unknown[] = [];
  const tell = async (seq: number, data: object) => {
    const said = await speaker.render(event(seq, data));
    lists.push(...said.filter(({ topic }) => topic === "tea/g/e").map(({ payload }) => JSON.parse(`${payload}`).m));
    return said;
  };
  await tell(1, { event: "invite", uids: ["eve"] });
  await tell(2, { event: "join", by: "carol", uids: ["carol"] });
  await tell(3, { event: "remove", uids: ["carol"] });
  assert.deepEqual(lists, [
    ["ada", "bob"],
    ["ada", "bob", "carol"],
    ["ada", "bob"],
  ]);
  const [out, ...more] = await tell(4, { event: "remove", uids: ["ada"] });
  assert.deepEqual([more, out?.topic, JSON.parse(`${out?.payload}`).c], [[], "tea/g/m", "NOTIFICATION"]);
  assert.match(JSON.parse(`${out?.payload}`).m, /bob removed ada/);
});

test("who comes in while the members are being read is on the list from then on, whichever the read found", async () => {
  const { parley, speaker } = open(["ada"]);
  const row = { name: "", nick: "", avatar: "", role: "member" as const, joinSeq: 1 };
  let answer = () => {};
  parley.answer(roomsMembers, async () => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    return { members: [{ uid: "ada", ...row }], next: null };
  });
  const subscribed = speaker.subscribed?.(["tea/g/e"]);
  await new Promise(setImmediate);
  // It needs no read of its own: the list is known from before.
  const read = answer;
  const joined = speaker.render(event(2, { event: "join", by: "bob", uids: ["bob"] }));
  await new Promise(setImmediate);
  answer();
  read();
  await Promise.all([subscribed, joined]);
  const [said] = await speaker.render(event(3, { event: "invite", uids: ["carol"] }));
  assert.deepEqual(JSON.parse(`${said?.payload}`), { m: ["ada", "bob", "carol"] });
});

test("a list is told once, however many events come to the same", async () => {
  const { speaker } = open(["ada", "bob"]);
  assert.equal((await speaker.render(event(1, { event: "join", by: "bob", uids: ["bob"] }))).length, 1);
  assert.equal((await speaker.render(event(2, { event: "invite", uids: ["bob"] }))).length, 0);
});

test("an event that is rendered again, as nothing came of it, says its list again", async () => {
  const { speaker } = open(["ada", "bob"]);
  const joined = event(1, { event: "join", by: "bob", uids: ["bob"] });
  for (let time = 0; time < 2; time++) assert.equal((await speaker.render(joined)).length, 1);
});

test("a group that is another from here on is told by its profile, with what happened", async () => {
  const { speaker } = open(["ada", "bob"], { room: { name: "Tea 2", avatar: "http://x/g.png" } });
  const said = await speaker.render(event(3, { event: "update", uids: [], name: "Tea 2" }));
  const [{ topic, payload }] = said as [{ topic: string; payload: string }];
  assert.equal(said.length, 1);
  const { name, image, message, senderId } = JSON.parse(payload);
  assert.deepEqual([topic, name, image, senderId], ["tea/g/p", "Tea 2", "http://x/g.png", "bob"]);
  assert.match(message, /bob changed the room/);
});

test("all else that happens in a group is told in words", async () => {
  const { speaker } = open(["ada", "bob"]);
  for (const data of [
    { event: "role", uids: ["ada"], role: "admin" },
    { event: "archive", uids: [] },
    { event: "delete", uids: [] },
    { event: "mute", uids: ["ada"], until: null },
  ]) {
    const said = await speaker.render(event(5, data));
    assert.deepEqual(
      said.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`).c]),
      [["tea/g/m", "NOTIFICATION"]],
    );
  }
});

test("whoever subscribes a group, or all, behind the list that it made it by is told that list", async () => {
  for (const filter of ["tea/g/e", "+/g/e"]) {
    const { parley, speaker } = open(["ada"]);
    const room = roomOf("tea", "ada", { role: "owner" });
    const made = Promise.withResolvers<typeof room>();
    let isMade = false;
    const ofMade = <T>(answer: T) => {
      if (!isMade) throw new AppError("not_found");
      return answer;
    };
    const row = { uid: "ada", name: "", nick: "", avatar: "", role: "owner" as const, joinSeq: 1 };
    parley.answer(roomsGet, () => ofMade(room));
    parley.answer(roomsMembers, () => ofMade({ members: [row], next: null }));
    parley.answer(roomsList, () => ({ rooms: isMade ? [room] : [], next: null }));
    parley.answer(roomsCreate, () => made.promise);
    const making = speaker.take(published("tea/g/e", { m: ["ada"] }));
    const subscribed = speaker.subscribed?.([filter]);
    await new Promise(setImmediate);
    isMade = true;
    made.resolve(room);
    await Promise.all([making, subscribed]);
    const said = parley.said.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`)]);
    assert.deepEqual(said, [["tea/g/e", { m: ["ada"] }]], filter);
  }
});

test("whoever is added to a group that it does not follow yet is told by an invitation", async () => {
  const { parley, speaker } = open(["ada", "bob"]);
  parley.filters = ["ada/o/+"];
  for (const data of [
    { event: "invite", uids: ["ada"] },
    { event: "create", uids: ["ada"], name: "Tea" },
    { event: "admit", uids: ["ada"] },
  ]) {
    const heard = (await speaker.render(event(2, data))).filter(({ topic }) => parley.hears(topic));
    assert.deepEqual(
      heard.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`).groupId]),
      [["ada/o/i", "tea"]],
    );
  }
});

test("whoever subscribes a group is told its list and profile; who may come in, and is not in it, an empty list", async () => {
  const profile = { name: "Tea", image: "", message: "Tea", senderId: "bob" };
  for (const [members, list] of [
    [
      ["ada", "bob"],
      ["ada", "bob"],
    ],
    [["bob"], []],
  ]) {
    const { parley, speaker } = open(members as string[]);
    await speaker.subscribed?.(["tea/g/+"]);
    const said = parley.said.map(({ topic, payload }) => [topic, JSON.parse(`${payload}`)]);
    assert.deepEqual(said.sort(), [
      ["tea/g/e", { m: list }],
      ["tea/g/p", profile],
    ]);
  }
});

test("whoever subscribes a group that it may not see, or all of its own, is told of what it may see", async () => {
  const { parley, speaker } = open(["ada", "bob"]);
  parley.answer(roomsGet, () => {
    throw new AppError("not_member");
  });
  parley.answer(roomsMembers, () => {
    throw new AppError("not_member");
  });
  await speaker.subscribed?.(["tea/g/+"]);
  assert.deepEqual(parley.said, []);
  const own = open(["ada", "bob"]);
  own.parley.answer(roomsList, () => ({ rooms: [roomOf("tea", "bob")], next: null }));
  await own.speaker.subscribed?.(["+/g/#"]);
  assert.deepEqual(own.parley.said.map(({ topic }) => topic).sort(), ["tea/g/e", "tea/g/p"]);
});

test("of a large group the list has a thousand members, the device's own user among them", async () => {
  const { parley, speaker } = open(["ada"]);
  const row = { name: "", nick: "", avatar: "", role: "member" as const, joinSeq: 1 };
  const first = Array.from({ length: 1_000 }, (_, at) => ({ uid: `a${at}`, ...row }));
  parley.answer(roomsMembers, () => ({ members: first, next: "a999" }));
  await speaker.subscribed?.(["tea/g/e"]);
  const list = JSON.parse(`${parley.said[0]?.payload}`).m as string[];
  assert.equal(list.length, 1_001);
  assert.ok(list.includes("ada"));
});
