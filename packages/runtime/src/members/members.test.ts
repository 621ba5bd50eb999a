import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberList, MembersRequest } from "@parley/protocol";
import { createMembers, membersAt } from "./members.ts";

const conv = "room/r";
const list = (memberSeq: number, members: MemberList["members"]): MemberList => ({ conv, memberSeq, members });
const member = (uid: string, ...stays: [number, number | null][]) => ({ uid, role: "member" as const, stays });

/** A room that changes, and what was asked about it. */
function roomOf(memberSeq: number, ...uids: string[]) {
  const room = { memberSeq, uids, asked: [] as MembersRequest[], now: 0 };
  const ask = async (request: MembersRequest) => {
    room.asked.push(request);
    if (request.known === room.memberSeq) return undefined;
    return list(
      room.memberSeq,
      room.uids.map((uid) => member(uid, [1, null])),
    );
  };
  const members = createMembers(ask, () => room.now);
  return { room, members };
}

test("a list that is older than the message's last membership event is read again", async () => {
  const { room, members } = roomOf(1, "a");
  assert.equal(members.known(conv, { seq: 2, memberSeq: 1 }), undefined);
  await members.read(conv, { seq: 2, memberSeq: 1 });
  assert.equal(members.known(conv, { seq: 3, memberSeq: 1 })?.memberSeq, 1);
  assert.equal(members.known(conv, { seq: 6, memberSeq: 5 }), undefined);
  room.memberSeq = 5;
  assert.equal((await members.read(conv, { seq: 6, memberSeq: 5 })).memberSeq, 5);
  members.changed(conv, 7);
  assert.equal(members.known(conv, { seq: 6, memberSeq: 5 }), undefined);
});

test("only stays that reach the message are asked for, so a message from before is asked for again", async () => {
  const { room, members } = roomOf(1, "a");
  await members.read(conv, { seq: 100, memberSeq: 1 });
  assert.equal(members.known(conv, { seq: 99, memberSeq: 1 }), undefined);
  await members.read(conv, { seq: 99, memberSeq: 1 });
  assert.deepEqual(
    room.asked.map(({ seq }) => seq),
    [100, 99],
  );
  assert.ok(members.known(conv, { seq: 99, memberSeq: 1 }));
  assert.ok(members.known(conv, { seq: 100, memberSeq: 1 }));
});

test("those who want the same list at once share one read, and are all told when it fails", async () => {
  let reads = 0;
  const members = createMembers(async () => {
    reads += 1;
    throw new Error("history is away");
  });
  const at = { seq: 2, memberSeq: 1 };
  const asked = await Promise.allSettled([members.read(conv, at), members.read(conv, at), members.read(conv, at)]);
  assert.equal(reads, 1);
  assert.deepEqual(
    asked.map(({ status }) => status),
    ["rejected", "rejected", "rejected"],
  );
});

test("a list that stays older than asked for is an error, not a delivery to the wrong people", async () => {
  const { members } = roomOf(1, "a");
  await assert.rejects(members.read(conv, { seq: 3, memberSeq: 2 }), /not to be had/);
});

test("who was removed is out of what is never stored after two seconds, though the word of it was lost", async () => {
  const { room, members } = roomOf(1, "a", "eve");
  await members.read(conv, { seq: 2, memberSeq: 1 });
  assert.ok((await members.recent(conv)).present.users.includes("eve"));
  assert.equal(room.asked.length, 1);
  Object.assign(room, { memberSeq: 5, uids: ["a"], now: 2_000 });
  assert.deepEqual((await members.recent(conv)).present.users, ["a"]);
  // Once more, and the answer is that nothing has changed.
  room.now = 4_000;
  assert.deepEqual((await members.recent(conv)).present.users, ["a"]);
  assert.equal(room.asked.at(-1)?.known, 5);
  assert.ok(members.known(conv, { seq: 6, memberSeq: 5 }));
});

test("a message goes to those whose stay holds it, also after they left", async () => {
  const members = createMembers(async () =>
    list(7, [member("a", [1, null]), member("b", [1, 4]), member("c", [7, null]), member("d", [1, 2], [6, null])]),
  );
  const cached = await members.read(conv, { seq: 1, memberSeq: 7 });
  const to = (seq: number) => membersAt(cached, seq).users;
  assert.deepEqual(to(2), ["a", "b", "d"]);
  assert.deepEqual(to(4), ["a", "b"]);
  assert.deepEqual(to(5), ["a"]);
  assert.deepEqual(to(7), ["a", "c", "d"]);
  assert.deepEqual(to(8), ["a", "c", "d"]);
});

test("of a list that is kept only what changed is read: who came and who left, and who left still gets what is from before", async () => {
  const asked: MembersRequest[] = [];
  const answers = [
    list(1, [member("a", [1, null]), member("b", [1, null]), member("c", [1, null])]),
    { ...list(5, [member("b", [1, 4]), member("c"), member("d", [5, null])]), since: 1 },
  ];
  const members = createMembers(async (request) => answers[asked.push(request) - 1]);
  await members.read(conv, { seq: 2, memberSeq: 1 });
  members.changed(conv, 5);
  const now = await members.read(conv, { seq: 6, memberSeq: 5 });
  assert.deepEqual(asked, [
    { conv, seq: 2 },
    { conv, seq: 2, known: 1, changes: true },
  ]);
  assert.deepEqual(membersAt(now, 6).users, ["a", "d"]);
  assert.deepEqual(membersAt(now, 3).users, ["a", "b"]);
  assert.equal(members.known(conv, { seq: 6, memberSeq: 5 }), now);
});

test("a list that many have left is read anew, without them", async () => {
  const asked: MembersRequest[] = [];
  const gone = Array.from({ length: 1_001 }, (_, index) => member(`gone${index}`, [1, 4]));
  const members = createMembers(async (request) => {
    asked.push(request);
    return list(asked.length * 5, [member("a", [1, null]), ...(asked.length === 1 ? gone : [])]);
  });
  await members.read(conv, { seq: 3, memberSeq: 5 });
  await members.read(conv, { seq: 11, memberSeq: 10 });
  assert.deepEqual(asked, [
    { conv, seq: 3 },
    { conv, seq: 11 },
  ]);
});

test("of a member who is there with some devices only these are recipients, also of a message of before the last event", async () => {
  const rows = [
    member("a", [1, null]),
    { ...member("b", [1, null]), devices: ["b:pc", "b:tab"] },
    { ...member("c", [1, 4]), devices: ["c:pc"] },
  ];
  const members = createMembers(async () => list(5, rows));
  const cached = await members.read(conv, { seq: 3, memberSeq: 3 });
  const ofBob = ["b:pc", "b:tab"].map((clientId) => ({ uid: "b", clientId }));
  assert.deepEqual(membersAt(cached, 6), { users: ["a"], devices: ofBob });
  assert.deepEqual(membersAt(cached, 4), { users: ["a"], devices: [...ofBob, { uid: "c", clientId: "c:pc" }] });
  assert.deepEqual((await members.recent(conv)).present, { users: ["a"], devices: ofBob });
});

test("a device gets no message of before it came in, however late the list is read", async () => {
  const b = {
    ...member("b", [1, null]),
    devices: ["b:pc", "b:tab"],
    deviceJoins: [["b:tab", 4]] as [string, number][],
  };
  const joins: [string, number][] = [
    ["c:pc", 0],
    ["c:tab", 4],
    ["*", 5],
  ];
  const c = { ...member("c", [1, null]), deviceJoins: joins };
  const members = createMembers(async () => list(6, [b, c]));
  const cached = await members.read(conv, { seq: 3, memberSeq: 3 });
  const at = (seq: number) => {
    const { users, devices } = membersAt(cached, seq);
    return [...users, ...devices.map(({ clientId }) => clientId)];
  };
  assert.deepEqual(at(3), ["b:pc", "c:pc"]);
  assert.deepEqual(at(4), ["b:pc", "b:tab", "c:pc", "c:tab"]);
  for (const seq of [5, 6, 7]) assert.deepEqual(at(seq), ["c", "b:pc", "b:tab"]);
});
