import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError, type ChangeRequest, limits, type MembershipEvent, type RoomState } from "@parley/protocol";
import { foldEntry } from "../fold/fold-entry.ts";
import { changeEntry } from "../write/change.ts";
import { type Conversation, newConversation } from "../write/conversation.ts";
import { decideChange } from "./decide-change.ts";

function change(conversation: Conversation, event: Partial<MembershipEvent>, more: Partial<ChangeRequest> = {}) {
  const whole = { uids: [], by: "ann", ...event } as MembershipEvent;
  const request = {
    conv: conversation.conv,
    id: `${conversation.lastSeq}`,
    device: "api",
    origin: "api",
    event: whole,
  };
  const decided = decideChange(conversation, { ...request, ...more }, 1_000);
  if (decided === undefined || decided instanceof AppError) return decided;
  const entry = changeEntry(conversation, conversation.lastSeq + 1, request, decided);
  conversation.lastSeq = entry.seq;
  foldEntry(conversation, entry);
  return decided;
}

/** A room of ann, who owns it, and bob. */
function made(room: RoomState = { settings: {} }): Conversation {
  const conversation = newConversation("room/out");
  change(conversation, { event: "create", uids: ["bob"], name: "Out", room });
  return conversation;
}

const code = (outcome: unknown) => (outcome instanceof AppError ? outcome.code : outcome);
const nest = (rooms: string[], more: Partial<MembershipEvent> = {}) => ({ event: "nest" as const, rooms, ...more });
const unnest = (rooms: string[], by = "ann") => ({ event: "unnest" as const, rooms, by });

test("owners and admins nest rooms, each once, and what changed is named; again it changes the mode, where one is said", () => {
  const room = made({ settings: {}, topic: "tea" });
  change(room, nest(["a", "b"], { mode: "read" }));
  assert.deepEqual(room.room, {
    settings: {},
    topic: "tea",
    nested: [
      { id: "a", mode: "read" },
      { id: "b", mode: "read" },
    ],
  });
  assert.equal(change(room, nest(["a", "b"])), undefined, "without a mode they keep theirs");
  const changed = change(room, nest(["b", "c"], { mode: "read-write" }));
  assert.deepEqual((changed as MembershipEvent).rooms, ["b", "c"]);
  assert.deepEqual(room.room?.nested, [{ id: "a", mode: "read" }, { id: "b" }, { id: "c" }]);
  assert.equal(code(change(room, nest(["d"], { by: "bob" }))), "forbidden");
  assert.equal(code(change(room, nest(["d"], { by: "eve" }))), "not_found");
  assert.equal(code(change(room, nest(["out"]))), "invalid_packet");
});

test("a room goes on to so many others at most, and an archived one to no further", () => {
  const room = made();
  const many = Array.from({ length: limits.nestedRooms }, (_, index) => `r${index}`);
  change(room, nest(many));
  assert.equal(code(change(room, nest(["one-more"]))), "conflict");
  change(room, unnest(["r0"]));
  change(room, nest(["one-more"]));
  change(room, { event: "archive" });
  assert.equal(code(change(room, nest(["another"]))), "forbidden");
});

test("who manages the inner room ends it too, though it is no member of the outer one; nobody else does", () => {
  const room = made();
  change(room, nest(["a", "b"]));
  assert.equal(code(change(room, unnest(["a"], "bob"))), "forbidden");
  assert.equal(code(change(room, unnest(["a"], "eve"))), "not_found");
  assert.equal(code(change(room, unnest(["a", "b"], "eve"), { manages: ["a"] })), "not_member");
  assert.equal(code(change(room, unnest(["x"], "eve"), { manages: ["x"] })), "not_found");
  change(room, unnest(["a"], "eve"), { manages: ["a"] });
  assert.deepEqual(room.room?.nested, [{ id: "b" }]);
  change(room, unnest(["b"]));
  assert.deepEqual(room.room, { settings: {} });
  assert.equal(change(room, unnest(["b"])), undefined);
});

test("nested rooms count for leastMembers: the room is deleted when one of all is left, whoever goes out", () => {
  const settings = { leastMembers: 2 };
  const alone = made({ settings, nested: [{ id: "a" }] });
  assert.equal((change(alone, { event: "remove", uids: ["bob"] }) as MembershipEvent).event, "remove");
  assert.equal((change(alone, unnest(["a"])) as MembershipEvent).event, "delete");
  assert.deepEqual(alone.room, { settings: {}, deleted: true });
  const others = made({ settings, nested: [{ id: "a" }] });
  change(others, { event: "remove", uids: ["bob"] });
  const ended = change(others, unnest(["a"], "eve"), { manages: ["a"] }) as MembershipEvent;
  assert.equal(ended.event, "delete", "whoever takes the last but one out");
  const two = made({ settings, nested: [{ id: "a" }] });
  assert.equal((change(two, unnest(["a"])) as MembershipEvent).event, "unnest");
  assert.equal((change(two, { event: "leave", by: "bob", uids: ["bob"] }) as MembershipEvent).event, "delete");
});

test("who refuses to come in may be the last but one: others who are asked, and nested rooms, count", () => {
  const settings = { leastMembers: 2, invitations: "ask" as const };
  const refusal = { event: "refuse" as const, by: "bob", uids: ["bob"] };
  assert.equal((change(made({ settings }), refusal) as MembershipEvent).event, "delete");
  assert.equal((change(made({ settings, nested: [{ id: "a" }] }), refusal) as MembershipEvent).event, "refuse");
  const others = made({ settings });
  change(others, { event: "invite", uids: ["cal"] });
  assert.equal((change(others, refusal) as MembershipEvent).event, "refuse");
  assert.equal((change(others, { ...refusal, by: "cal", uids: ["cal"] }) as MembershipEvent).event, "delete");
});

test("other changes of a room keep its nested rooms", () => {
  const room = made();
  change(room, nest(["a"]));
  change(room, { event: "update" }, { patch: { topic: "tea" } });
  change(room, { event: "archive" });
  change(room, { event: "unarchive" });
  assert.deepEqual(room.room, { settings: {}, topic: "tea", nested: [{ id: "a" }] });
});
