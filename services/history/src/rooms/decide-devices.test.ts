import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type ChangeRequest, limits, type MembershipEvent, type RoomSettings } from "@parley/protocol";
import { change } from "../../test/changing.ts";
import { asSeenWith } from "../fold/devices.ts";
import { isMember, mayRead, unreadOf } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { type Conversation, newConversation } from "../write/conversation.ts";

const [pc, phone, tab] = ["bob:pc", "bob:phone", "bob:tab"] as const;

/** Alice owns it, bob is there with one client. */
function roomOf(settings: RoomSettings = {}): Conversation {
  const conversation = newConversation("room/r");
  const devices = { bob: [pc] };
  change(conversation, { event: "create", by: "alice", uids: ["bob"], name: "Room", room: { settings }, devices });
  return conversation;
}

const bobIn = (conversation: Conversation) => conversation.members.get("bob") as Member;
const code = (outcome: unknown) => (outcome instanceof AppError ? outcome.code : outcome);
const invite = (devices?: string[], by = "alice"): MembershipEvent => ({
  ...{ event: "invite", by, uids: ["bob"] },
  ...(devices && { devices: { bob: devices } }),
});
const out = (clientIds: string[], by = "alice", uid = "bob"): MembershipEvent => ({
  ...{ event: "devices", way: "out", by, uids: [uid] },
  devices: { [uid]: clientIds },
});
const join = (devices?: string[]): MembershipEvent => ({
  ...{ event: "join", by: "bob", uids: ["bob"] },
  ...(devices && { devices: { bob: devices } }),
});
const told = (outcome: unknown) => {
  const { event, way, by, uids, devices } = outcome as MembershipEvent;
  return { event, way, by, uids, devices };
};

test("more devices of a member come to those it has, until the user is named: then all are in, and more changes nothing", () => {
  const conversation = roomOf();
  assert.deepEqual(bobIn(conversation).devices, [pc]);
  assert.deepEqual(told(change(conversation, invite([pc, phone]))), {
    ...{ event: "devices", way: "in", by: "alice", uids: ["bob"] },
    devices: { bob: [phone] },
  });
  assert.deepEqual(bobIn(conversation).devices, [pc, phone]);
  assert.equal(change(conversation, invite([phone])), undefined);
  assert.deepEqual(told(change(conversation, invite())).devices, { bob: null });
  assert.equal(bobIn(conversation).devices, undefined);
  assert.equal(change(conversation, invite([tab])), undefined);
  assert.equal(change(conversation, invite()), undefined);
  assert.deepEqual([conversation.size?.members, bobIn(conversation).stays], [2, [[1, null]]]);
});

test("one change brings in new members and more devices of others", () => {
  const conversation = roomOf();
  const devices = { bob: [phone], dave: ["dave:pc"] };
  const added = change(conversation, { event: "invite", by: "alice", uids: ["bob", "carol", "dave"], devices });
  assert.deepEqual(told(added), {
    ...{ event: "invite", way: undefined, by: "alice" },
    uids: ["carol", "dave"],
    devices,
  });
  assert.deepEqual(
    ["bob", "carol", "dave"].map((uid) => conversation.members.get(uid)?.devices),
    [[pc, phone], undefined, ["dave:pc"]],
  );
  assert.equal(conversation.size?.members, 4);
});

test("a member is there with so many devices at most, and who is called as what every object has is as others", () => {
  const conversation = roomOf();
  const many = Array.from({ length: limits.memberDevices }, (_, index) => `bob:${index}`);
  assert.equal(code(change(conversation, invite(many))), "conflict");
  assert.ok(change(conversation, invite(many.slice(1))));
  const odd = ["constructor", "toString", "__proto__"];
  change(conversation, { event: "invite", by: "alice", uids: odd, devices: { bob: ["bob:x"] } });
  for (const uid of odd) assert.equal(conversation.members.get(uid)?.devices, undefined);
  const devices = Object.fromEntries(odd.map((uid) => [uid, [`${uid}:pc`]]));
  change(conversation, { event: "remove", by: "alice", uids: odd });
  change(conversation, { event: "invite", by: "alice", uids: odd, devices });
  for (const uid of odd) assert.deepEqual(conversation.members.get(uid)?.devices, [`${uid}:pc`]);
});

test("a device goes out by owners, admins and its own user; with the last one the member, and of who is there with all none", () => {
  const conversation = roomOf();
  change(conversation, invite([phone, tab]));
  change(conversation, { event: "invite", by: "alice", uids: ["carol"] });
  assert.equal(code(change(conversation, out([pc], "carol"))), "forbidden");
  assert.deepEqual(told(change(conversation, out([pc, "bob:other"]))).devices, { bob: [pc] });
  assert.equal(change(conversation, out([pc])), undefined);
  assert.equal(code(change(conversation, out(["carol:pc"], "alice", "carol"))), "conflict");
  assert.equal(change(conversation, out(["dave:pc"], "alice", "dave")), undefined);
  const own = change(conversation, out([tab], "bob"), { device: phone });
  assert.deepEqual([told(own).devices, bobIn(conversation).devices], [{ bob: [tab] }, [phone]]);
  const last = change(conversation, out([phone], "bob"), { device: phone });
  assert.deepEqual(
    [told(last).event, told(last).devices, isMember(bobIn(conversation))],
    ["leave", { bob: [phone] }, false],
  );
  change(conversation, invite([pc]));
  assert.equal(told(change(conversation, out([pc]))).event, "remove");
});

test("an owner's last device is followed as the owner is", () => {
  const conversation = roomOf();
  conversation.members.get("bob")!.role = "owner";
  change(conversation, { event: "leave", by: "alice", uids: ["alice"] });
  change(conversation, { event: "invite", by: "bob", uids: ["carol"] });
  const last = change(conversation, out([pc], "bob"), { device: pc }) as MembershipEvent;
  assert.deepEqual([last.event, last.owner, conversation.members.get("carol")?.role], ["leave", "carol", "owner"]);
});

test("only the devices that are there change the room; its user without a device may, and is there as all of them", () => {
  const conversation = roomOf();
  bobIn(conversation).role = "admin";
  const asked = (event: MembershipEvent, device: string) => code(change(conversation, event, { device }));
  const changes: MembershipEvent[] = [
    ...[invite([phone], "bob"), out([pc], "bob"), { event: "leave" as const, by: "bob", uids: ["bob"] }],
    ...[
      { event: "update" as const, by: "bob", uids: [] },
      { event: "pin" as const, by: "bob", uids: [], seq: 1 },
    ],
  ];
  for (const event of changes) assert.equal(asked(event, phone), "not_member");
  for (const device of [pc, "api"]) {
    const mute: MembershipEvent = { event: device === pc ? "archive" : "mute", by: "bob", uids: ["bob"] };
    assert.notEqual(asked(mute, device), "not_member");
  }
});

test("a device comes in by itself where anybody may, or its user may invite; where it is by invitation, none but those invited", () => {
  const closed = roomOf();
  assert.equal(code(change(closed, join([phone]), { device: phone })), "forbidden");
  assert.equal(code(change(closed, join([phone]), { device: pc })), "forbidden");
  bobIn(closed).role = "admin";
  assert.equal(code(change(closed, join([phone]), { device: phone })), "forbidden");
  assert.deepEqual(told(change(closed, join([phone]), { device: pc })).devices, { bob: [phone] });
  const open = roomOf({ join: "open" });
  assert.deepEqual(told(change(open, join([phone]), { device: phone })).devices, { bob: [phone] });
  assert.equal(change(open, join([phone]), { device: phone }), undefined);
  assert.deepEqual(told(change(open, join(), { device: tab })).devices, { bob: null });

  const asked = roomOf({ invitations: "ask" });
  const dave = (device: string): [MembershipEvent, Partial<ChangeRequest>] => [
    { event: "join", by: "dave", uids: ["dave"] },
    { device },
  ];
  change(asked, { event: "invite", by: "alice", uids: ["dave"], devices: { dave: ["dave:pc"] } });
  assert.equal(code(change(asked, ...dave("dave:phone"))), "forbidden");
  assert.deepEqual(told(change(asked, ...dave("dave:pc"))).devices, { dave: ["dave:pc"] });

  const asking = roomOf({ join: "ask" });
  const devices = { eve: ["eve:pc"] };
  change(asking, { event: "join", by: "eve", uids: ["eve"], devices }, { device: "eve:phone" });
  assert.deepEqual(told(change(asking, { event: "admit", by: "alice", uids: ["eve"] })).devices, devices);
  assert.deepEqual(asking.members.get("eve")?.devices, ["eve:pc"]);
});

test("each device counts where a room needs so many, and the last but one ends it", () => {
  const settings = { leastMembers: 2 };
  const conversation = roomOf(settings);
  change(conversation, invite([phone]));
  change(conversation, { event: "leave", by: "alice", uids: ["alice"] });
  assert.deepEqual([conversation.room?.deleted, conversation.size?.members], [undefined, 1]);
  const ended = change(conversation, out([phone], "bob"), { device: pc }) as MembershipEvent;
  assert.deepEqual([ended.event, ended.members, conversation.room?.deleted], ["delete", 0, true]);
  const other = roomOf(settings);
  change(other, invite([phone]));
  assert.equal(told(change(other, { event: "remove", by: "alice", uids: ["bob"] })).event, "delete");
});

test("a device that comes in later reads from there on, and one that was there what it could, whoever comes in beside it", () => {
  const conversation = roomOf();
  const readsFrom = (clientId: string | undefined) => {
    const seen = asSeenWith(bobIn(conversation), clientId);
    return [1, 2, 3, 4, 5, 6, 7].filter((seq) => mayRead(seen, seq))[0];
  };
  conversation.lastSeq = 2;
  change(conversation, invite([phone]));
  assert.deepEqual([pc, phone, undefined].map(readsFrom), [1, 3, 1]);
  change(conversation, out([pc]));
  change(conversation, invite([pc]));
  assert.deepEqual([pc, phone].map(readsFrom), [5, 3]);
  change(conversation, invite());
  assert.deepEqual([pc, phone, tab, undefined].map(readsFrom), [5, 3, 6, 1]);
  change(conversation, { event: "remove", by: "alice", uids: ["bob"] });
  assert.deepEqual([pc, phone, tab].map(readsFrom), [5, 3, 6]);
  const open = roomOf({ history: "all" });
  change(open, invite([phone]));
  assert.equal(mayRead(asSeenWith(bobIn(open), phone), 1), true);
});

test("who comes in again with another device does not show it what the first one read", () => {
  const conversation = roomOf();
  change(conversation, { event: "remove", by: "alice", uids: ["bob"] });
  change(conversation, invite([phone]));
  const reads = (clientId: string | undefined) =>
    [1, 2, 3].filter((seq) => mayRead(asSeenWith(bobIn(conversation), clientId), seq));
  assert.deepEqual([phone, undefined].map(reads), [[3], [1, 2, 3]]);
});

test("what came before a device is not unread to it", () => {
  const conversation = roomOf();
  Object.assign(conversation, { lastSeq: 6, lastOrd: 5 });
  change(conversation, invite([phone]));
  assert.deepEqual(
    [pc, phone].map((clientId) => unreadOf(asSeenWith(bobIn(conversation), clientId), 7, [])),
    [7, 2],
  );
});
