import assert from "node:assert/strict";
import { test } from "node:test";
import { limits, type MemberRow, type MembershipEvent } from "@parley/protocol";
import { createMembers } from "@parley/runtime";
import { recipientsOf } from "./recipients.ts";

const conv = "room/r";

async function told(size: number, event: Partial<MembershipEvent> | undefined): Promise<readonly string[]> {
  const many = Array.from(
    { length: size },
    (_, at): MemberRow => ({ uid: `m${at}`, role: "member", stays: [[1, null]] }),
  );
  const rows: MemberRow[] = [
    ...many,
    { uid: "olga", role: "owner", stays: [[1, null]] },
    { uid: "ann", role: "admin", stays: [[1, null]] },
    { uid: "gone", role: "member", stays: [[1, 9]] },
    { uid: "long-gone", role: "admin", stays: [[1, 5]] },
  ];
  const members = createMembers(async () => ({ conv, memberSeq: 9, members: rows }));
  const list = await members.read(conv, { seq: 6, memberSeq: 9 });
  const body = Buffer.from(JSON.stringify({ content: { type: "event", data: event } }));
  return recipientsOf(list, { seq: 9, memberSeq: event ? 9 : 8, body }).users;
}

const wide = limits.roomMembers;
const gone: Partial<MembershipEvent> = { event: "remove", by: "ann", uids: ["gone"] };

test("in a broadcast room of more than 10,000 who comes and goes is told live to them, to owners and to admins", async () => {
  assert.deepEqual((await told(wide, gone)).toSorted(), ["ann", "gone", "olga"]);
  assert.deepEqual((await told(wide, { event: "join", by: "m7", uids: ["m7"] })).toSorted(), ["ann", "m7", "olga"]);
});

test("a message, a change of such a room itself, and whatever happens in smaller rooms, goes to every member", async () => {
  assert.equal((await told(wide, undefined)).length, wide + 3);
  assert.equal((await told(wide, { event: "update", by: "ann", uids: [] })).length, wide + 3);
  assert.equal((await told(wide - 3, gone)).length, wide);
});

test("a message in a topic of guests goes to whoever hears the topic too, also one that only few members are told, in no other room", async () => {
  const rows: MemberRow[] = Array.from({ length: wide + 1 }, (_, at) => ({
    uid: `m${at}`,
    role: "member",
    stays: [[1, null]],
  }));
  const at = { seq: 9, memberSeq: 9, body: Buffer.from(JSON.stringify({ content: { type: "event", data: gone } })) };
  for (const guests of [{ guests: true as const }, {}]) {
    const members = createMembers(async () => ({ conv, memberSeq: 9, members: rows, ...guests }));
    const list = await members.read(conv, { seq: 6, memberSeq: 9 });
    for (const seq of [8, 9, 10]) assert.equal(recipientsOf(list, { ...at, seq }).open, guests.guests && conv);
  }
});

test("a device that goes out hears so, and others of its user only if they are in", async () => {
  const gone: MembershipEvent = {
    ...{ event: "devices", way: "out", by: "ann", uids: ["bob"] },
    devices: { bob: ["bob:pc"] },
  };
  const rows: MemberRow[] = [
    { uid: "ann", role: "owner", stays: [[1, null]] },
    { uid: "bob", role: "member", stays: [[1, null]], devices: ["bob:tab"] },
  ];
  const members = createMembers(async () => ({ conv, memberSeq: 9, members: rows }));
  const list = await members.read(conv, { seq: 9, memberSeq: 9 });
  const to = (event: MembershipEvent, seq = 9) =>
    recipientsOf(list, { seq, memberSeq: 9, body: Buffer.from(JSON.stringify({ content: { data: event } })) });
  const [tab, pc] = ["bob:tab", "bob:pc"].map((clientId) => ({ uid: "bob", clientId }));
  assert.deepEqual(to(gone), { users: ["ann"], devices: [tab, pc] });
  assert.deepEqual(to({ ...gone, way: "in" }), { users: ["ann"], devices: [tab] });
  assert.deepEqual(to(gone, 10), { users: ["ann"], devices: [tab] });
});

test("in a large broadcast room owners and admins who are there with some devices are told on these", async () => {
  const rows: MemberRow[] = Array.from({ length: wide + 1 }, (_, at) => ({
    ...{ uid: `m${at}`, role: at === 7 ? "admin" : "member", stays: [[1, null]] },
    devices: [`m${at}:pc`],
  }));
  const members = createMembers(async () => ({ conv, memberSeq: 9, members: rows }));
  const list = await members.read(conv, { seq: 9, memberSeq: 9 });
  const body = Buffer.from(JSON.stringify({ content: { data: { ...gone, uids: ["m9"] } } }));
  const { users, devices } = recipientsOf(list, { seq: 9, memberSeq: 9, body });
  assert.deepEqual([users, devices.map(({ clientId }) => clientId)], [[], ["m7:pc", "m9:pc"]]);
});
