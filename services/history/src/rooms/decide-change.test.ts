import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type ChangeRequest, type MembershipEvent, type RoomSettings } from "@parley/protocol";
import { foldEntry } from "../fold/fold-entry.ts";
import { isMember, mayRead, unreadOf } from "../fold/members.ts";
import type { Member, Recalled } from "../keep/store.ts";
import { changeEntry } from "../write/change.ts";
import { type Conversation, newConversation } from "../write/conversation.ts";
import { decideChange } from "./decide-change.ts";

const now = 1_000;
const room = (): Conversation => newConversation("room/r");

function change(conversation: Conversation, event: MembershipEvent, more: Partial<ChangeRequest> = {}) {
  const request: ChangeRequest = {
    conv: conversation.conv,
    id: `${event.event}`,
    device: "api",
    origin: "api",
    event,
    ...more,
  };
  const decided = decideChange(conversation, request, now);
  if (decided === undefined || decided instanceof AppError) return decided;
  const entry = changeEntry(conversation, conversation.lastSeq + 1, request, decided);
  conversation.lastSeq = entry.seq;
  foldEntry(conversation, entry);
  foldEntry(conversation, entry);
  return decided;
}

function created(): Conversation {
  const conversation = room();
  change(conversation, { event: "create", by: "alice", uids: ["bob", "alice", "bob"], name: "Room" });
  return conversation;
}

const code = (outcome: unknown) => (outcome instanceof AppError ? outcome.code : outcome);
const of = (conversation: Conversation, uid: string) => conversation.members.get(uid) as Member;

test("creation makes its maker the owner and everybody else a member, from the first seq on", () => {
  const conversation = created();
  assert.equal(conversation.name, "Room");
  assert.deepEqual(
    [...conversation.members.values()].map(({ uid, role, stays }) => [uid, role, stays]),
    [
      ["alice", "owner", [[1, null]]],
      ["bob", "member", [[1, null]]],
    ],
  );
  assert.equal(code(change(conversation, { event: "create", by: "eve", uids: [] })), "conflict");
});

test("a stay ends with the removal, and a second one begins with the next invitation", () => {
  const conversation = created();
  change(conversation, { event: "remove", by: "alice", uids: ["bob"] });
  assert.equal(isMember(of(conversation, "bob")), false);
  change(conversation, { event: "invite", by: "alice", uids: ["bob"] });
  const bob = of(conversation, "bob");
  assert.deepEqual(bob.stays, [
    [1, 2],
    [3, null],
  ]);
  assert.deepEqual(
    [1, 2, 3, 4].map((seq) =>
      mayRead(
        {
          ...bob,
          stays: [
            [1, 2],
            [4, null],
          ],
        },
        seq,
      ),
    ),
    [true, true, false, true],
  );
});

test("who may do what is decided on the members of the log", () => {
  const conversation = created();
  assert.equal(code(change(conversation, { event: "invite", by: "bob", uids: ["carol"] })), "forbidden");
  assert.equal(code(change(conversation, { event: "invite", by: "eve", uids: ["carol"] })), "not_member");
  assert.equal(code(change(conversation, { event: "join", by: "carol", uids: ["carol"] })), "forbidden");
  assert.equal(code(change(room(), { event: "join", by: "carol", uids: ["carol"] }, { open: true })), "not_found");
  assert.equal(change(conversation, { event: "invite", by: "alice", uids: ["bob"] }), undefined);
  // A version before kept the settings elsewhere.
  delete conversation.room;
  change(conversation, { event: "join", by: "carol", uids: ["carol"] }, { open: true });
  assert.ok(isMember(of(conversation, "carol")));
  of(conversation, "carol").role = "admin";
  assert.equal(code(change(conversation, { event: "remove", by: "carol", uids: ["alice"] })), "forbidden");
});

test("a room keeps an owner: the longest-standing admin, else member, follows the last one who leaves", () => {
  const conversation = created();
  change(conversation, { event: "invite", by: "alice", uids: ["carol"] });
  of(conversation, "carol").role = "admin";
  change(conversation, { event: "leave", by: "alice", uids: ["alice"] });
  assert.equal(of(conversation, "carol").role, "owner");
  assert.equal(isMember(of(conversation, "alice")), false);
});

test("unread counts the messages after the furthest of join, read, deleted and last sent, until the stay ends", () => {
  const member = { joinOrd: 2, readOrd: 5, deletedOrd: 0, sentOrd: 4 } as Member;
  assert.equal(unreadOf(member, 9, []), 4);
  const recalled: Recalled[] = [3, 5, 6, 9, 10].map((ord) => [ord + 1, ord]);
  assert.equal(unreadOf(member, 9, recalled), 2);
  assert.equal(unreadOf({ ...member, leftOrd: 7 }, 9, []), 2);
  assert.equal(unreadOf({ ...member, readOrd: 9 }, 9, []), 0);
});

test("what a change says of the room is all of it: its state, and how many members it has", () => {
  const conversation = created();
  assert.deepEqual(conversation.size, { members: 2, seq: 1 });
  change(
    conversation,
    { event: "update", by: "alice", uids: [] },
    { patch: { topic: "tea", settings: { join: "open" } } },
  );
  change(conversation, { event: "join", by: "carol", uids: ["carol"] });
  change(conversation, { event: "update", by: "alice", uids: [] }, { patch: { name: "Tea", topic: null } });
  assert.deepEqual([conversation.name, conversation.room], ["Tea", { settings: { join: "open" } }]);
  assert.deepEqual(conversation.size, { members: 3, seq: 3 });
  change(conversation, { event: "ban", by: "alice", uids: ["carol", "dave"] });
  assert.deepEqual(conversation.size, { members: 2, seq: 5 });
  assert.equal(change(conversation, { event: "update", by: "alice", uids: [] }, { patch: { name: "Tea" } }), undefined);
});

test("a deleted room leaves its members nothing to read but its end, whoever folds the log", () => {
  const conversation = created();
  change(conversation, { event: "leave", by: "bob", uids: ["bob"] });
  change(conversation, { event: "delete", by: "alice", uids: [] });
  for (const uid of ["alice", "bob"]) {
    const member = of(conversation, uid);
    assert.equal(isMember(member), false);
    assert.equal(member.deletedTo, 2);
  }
  assert.equal(code(change(conversation, { event: "join", by: "bob", uids: ["bob"] })), "not_found");
});

test("a room has up to 10,000 members, one in which only admins write 100,000, and it stays so while it has more", () => {
  const uids = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => `u${from + at}`);
  const invite = (conversation: Conversation, from: number, to: number) =>
    change(conversation, { event: "invite", by: "alice", uids: uids(from, to) });
  const update = (conversation: Conversation, settings: RoomSettings) =>
    change(conversation, { event: "update", by: "alice", uids: [] }, { patch: { settings } });
  const plain = room();
  change(plain, { event: "create", by: "alice", uids: uids(0, 9_999), name: "Plain" });
  assert.match((invite(plain, 9_999, 10_000) as AppError).message, /full: 10000 members/);
  update(plain, { write: "admin" });
  assert.equal((invite(plain, 9_999, 99_999) as MembershipEvent).members, 100_000);
  assert.match((invite(plain, 99_999, 100_000) as AppError).message, /full: 100000 members/);
  assert.equal(code(change(plain, { event: "join", by: "u99999", uids: [] }, {})), "forbidden");
  const refused = update(plain, { write: "member" }) as AppError;
  assert.equal(refused.code, "conflict");
  assert.match(refused.message, /at most 10000 members, this one 100000/);
  assert.equal((update(plain, { write: "owner", pin: "member" }) as MembershipEvent).room?.settings.write, "owner");
  change(plain, { event: "remove", by: "alice", uids: uids(9_999, 99_999) });
  assert.equal((update(plain, { write: "member" }) as MembershipEvent).room?.settings.write, "member");
});

test("an avatar that is no address, kept by a version before, is in no event from then on", () => {
  const conversation = created();
  for (const [avatar, kept] of [
    ["javascript:alert(1)", undefined],
    ["/a.png", "/a.png"],
  ] as const) {
    conversation.room = { settings: {}, avatar };
    const decided = change(conversation, { event: "update", by: "alice", uids: [] }, { patch: { topic: avatar } });
    assert.equal((decided as MembershipEvent).room?.avatar, kept);
  }
});
