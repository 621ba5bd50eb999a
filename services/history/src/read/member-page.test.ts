import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stay } from "@parley/protocol";
import { newMember } from "../fold/members.ts";
import { memberPage } from "./member-page.ts";

const roomOf = (stays: Record<string, Stay[]>, memberSeq = 9) => ({
  conv: "room/r",
  memberSeq,
  members: new Map(Object.entries(stays).map(([uid, of]) => [uid, { ...newMember("room/r", uid), stays: of }])),
});
const uids = ({ members }: { members: { uid: string }[] }) => members.map(({ uid }) => uid);

test("without a seq those who are members now are listed, and nobody who left", () => {
  const room = roomOf({ bob: [[1, 4]], ann: [[1, null]], cat: [[1, 2], [9, null]] }); // biome-ignore format: one line reads better
  const page = memberPage(room, { conv: "room/r" });
  assert.deepEqual(uids(page), ["ann", "cat"]);
  assert.deepEqual(page.members[1]?.stays, [[9, null]]);
});

test("with a seq those are listed whose stay reaches that message, with these stays only", () => {
  const room = roomOf({ ann: [[1, null]], bob: [[1, 4]], cat: [[1, 2], [9, null]], dan: [[1, 3]] }); // biome-ignore format: one line reads better
  const page = memberPage(room, { conv: "room/r", seq: 4 });
  assert.deepEqual(uids(page), ["ann", "bob", "cat"]);
  assert.deepEqual(page.members[2]?.stays, [[9, null]]);
});

test("pages end at a number of bytes, hold at least one member, and together list everybody once", () => {
  const names = Array.from({ length: 50 }, (_, index) => `user${(index * 7) % 50}`);
  const room = roomOf(Object.fromEntries(names.map((name) => [name, [[1, null]]])));
  for (const bytes of [1, 300, 100_000]) {
    const seen: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = memberPage(room, { conv: "room/r", ...(after === undefined ? {} : { after }) }, bytes);
      assert.ok(page.members.length === 1 || JSON.stringify(page.members).length <= bytes + 2);
      seen.push(...uids(page));
      if (page.next === undefined) break;
      after = page.next;
    }
    assert.deepEqual(seen, [...names].sort());
  }
});

test("who has the list already is told so in a few bytes", () => {
  const room = roomOf({ ann: [[1, null]] }, 9);
  assert.deepEqual(memberPage(room, { conv: "room/r", known: 9 }), {
    conv: "room/r",
    memberSeq: 9,
    members: [],
    unchanged: true,
  });
  assert.equal(memberPage(room, { conv: "room/r", known: 8 }).unchanged, undefined);
});

test("who has an older list is told only who changed since, and that nothing is left of who is out of it", () => {
  const room = roomOf({ ann: [[1, null]], bob: [[1, 4]], cat: [[1, 2]], dan: [[9, null]] }); // biome-ignore format: one line reads better
  for (const [uid, appliedSeq] of Object.entries({ ann: 1, bob: 4, cat: 2, dan: 9 }))
    room.members.get(uid)!.appliedSeq = appliedSeq;
  const page = memberPage(room, { conv: "room/r", seq: 3, known: 1, changes: true });
  assert.equal(page.since, 1);
  assert.deepEqual(
    page.members.map(({ uid, stays }) => [uid, stays]),
    [
      ["bob", [[1, 4]]],
      ["cat", []],
      ["dan", [[9, null]]],
    ],
  );
  const whole = memberPage(room, { conv: "room/r", seq: 3, known: 1, changes: true }, 60);
  assert.deepEqual([whole.since, uids(whole)], [undefined, ["ann"]], "what changed is more than a page: all is listed");
});

test("who came after the members were listed stands in its place in the next list", () => {
  const room = roomOf({ bob: [[1, null]] });
  assert.deepEqual(uids(memberPage(room, { conv: "room/r" })), ["bob"]);
  for (const uid of ["cat", "ann"]) room.members.set(uid, { ...newMember("room/r", uid), stays: [[9, null]] });
  assert.deepEqual(uids(memberPage(room, { conv: "room/r" })), ["ann", "bob", "cat"]);
  assert.deepEqual(uids(memberPage(room, { conv: "room/r", after: "ann" })), ["bob", "cat"]);
});

test("every page of a topic of guests says that it is one, no other does", () => {
  const room = roomOf({ ann: [[1, null]], bob: [[1, null]] });
  const open = { ...room, room: { settings: {}, guests: true as const } };
  for (const request of [{ conv: "room/r" }, { conv: "room/r", known: 8, changes: true as const }]) {
    assert.equal(memberPage(open, request).guests, true);
    assert.equal("guests" in memberPage(room, request), false);
  }
});

test("a row says with which devices alone its member is there", () => {
  const room = roomOf({ ann: [[1, null]], bob: [[1, null]] });
  room.members.get("bob")!.devices = ["bob:pc"];
  assert.deepEqual(
    memberPage(room, { conv: "room/r" }).members.map(({ devices }) => devices),
    [undefined, ["bob:pc"]],
  );
});
