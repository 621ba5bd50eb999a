import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type MembershipEvent, type RoomSettings } from "@parley/protocol";
import { change } from "../../test/changing.ts";
import { isMember, mayRead, unreadOf } from "../fold/members.ts";
import type { Member, Recalled } from "../keep/store.ts";
import { type Conversation, newConversation } from "../write/conversation.ts";

const room = (): Conversation => newConversation("room/r");

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
  assert.equal(code(change(conversation, { event: "invite", by: "eve", uids: ["carol"] })), "not_found");
  assert.equal(code(change(conversation, { event: "join", by: "carol", uids: ["carol"] })), "not_found");
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
  assert.equal(code(change(plain, { event: "join", by: "u99999", uids: [] }, {})), "not_found");
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

test("a room that asks nobody in is answered to strangers as one that is not there, whatever they ask", () => {
  const hidden = created();
  const link = { id: "l1", hash: "known", createdBy: "alice", createdAt: 1, expiresAt: 2 };
  hidden.room = { settings: {}, links: [link] };
  for (const event of [
    "join",
    "leave",
    "block",
    "unblock",
    "refuse",
    "remove",
    "ban",
    "mute",
    "update",
    "link",
  ] as const) {
    const asked = { event, by: "eve", uids: ["eve"] };
    assert.deepEqual(change(hidden, asked), change(room(), asked), event);
    assert.equal(code(change(hidden, asked, { linkHash: "guessed" })), "not_found", event);
  }
  const join = { event: "join", by: "eve", uids: ["eve"] } as const;
  assert.equal(
    code(change(hidden, { ...join, uids: ["eve"] }, { linkHash: "known" })),
    "forbidden",
    "its link shows it",
  );
  change(hidden, { event: "ban", by: "alice", uids: ["mallory"] });
  assert.equal(code(change(hidden, { event: "join", by: "mallory", uids: ["mallory"] })), "forbidden");
  assert.equal(code(change(hidden, { event: "leave", by: "mallory", uids: ["mallory"] })), "not_member");
  hidden.room = { settings: { join: "ask" } };
  assert.equal(code(change(hidden, { event: "leave", by: "eve", uids: ["eve"] })), "not_member");
});

test("who only writes is a member that reads nothing of what is said, but how it came in and went; who only reads is one as well", () => {
  const conversation = room();
  const modes = { read: ["bob", "eve"], write: ["carol"] };
  change(conversation, { event: "create", by: "alice", uids: ["bob", "carol"], modes, name: "Room" });
  const [bob, carol] = [of(conversation, "bob"), of(conversation, "carol")];
  assert.deepEqual([bob.mode, carol.mode], ["read", "write"]);
  assert.deepEqual([isMember(bob), isMember(carol)], [true, true]);
  assert.deepEqual(
    [1, 2].map((seq) => [mayRead(bob, seq), mayRead(carol, seq)]),
    [
      [true, true],
      [true, false],
    ],
  );
  assert.equal(unreadOf(carol, 5, []), 0);
  change(conversation, { event: "mode", by: "alice", uids: ["carol"], mode: "read-write" });
  assert.deepEqual(
    [carol.mode, carol.stays],
    [
      undefined,
      [
        [1, 1],
        [2, null],
      ],
    ],
  );
  change(conversation, { event: "mode", by: "alice", uids: ["bob"], mode: "write" });
  change(conversation, { event: "remove", by: "alice", uids: ["bob"] });
  assert.deepEqual(
    [bob.mode, isMember(bob), bob.stays],
    [
      undefined,
      false,
      [
        [1, 3],
        [4, 4],
      ],
    ],
  );
  assert.equal(code(change(conversation, { event: "mode", by: "carol", uids: ["alice"], mode: "read" })), "forbidden");
  assert.equal(code(change(conversation, { event: "mode", by: "alice", uids: ["bob"], mode: "read" })), "not_found");
});

test("what somebody may who is asked first is what it may once it comes in", () => {
  const conversation = created();
  const event: MembershipEvent = { event: "invite", by: "alice", uids: ["dave"], modes: { read: ["dave"] } };
  change(conversation, event, { askFirst: ["dave"] });
  change(conversation, { event: "join", by: "dave", uids: ["dave"] });
  assert.deepEqual([of(conversation, "dave").mode, isMember(of(conversation, "dave"))], ["read", true]);
});

test("a room that needs two members ends with the last but one, by whoever left or was removed", () => {
  for (const [event, by] of [
    ["leave", "bob"],
    ["remove", "alice"],
  ] as const) {
    const conversation = room();
    const settings = { leastMembers: 2 };
    change(conversation, { event: "create", by: "alice", uids: ["bob", "carol"], name: "Room", room: { settings } });
    assert.equal(
      (change(conversation, { event: "leave", by: "carol", uids: ["carol"] }) as MembershipEvent).event,
      "leave",
    );
    const ended = change(conversation, { event, by, uids: ["bob"] }) as MembershipEvent;
    assert.deepEqual([ended.event, ended.by, ended.members], ["delete", by, 0]);
    assert.ok(conversation.room?.deleted);
    assert.deepEqual(
      ["alice", "bob"].map((uid) => isMember(of(conversation, uid))),
      [false, false],
    );
  }
});
