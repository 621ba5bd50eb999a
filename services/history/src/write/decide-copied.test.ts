import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppendItem, RoomState, Stay } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { type Conversation, newConversation } from "./conversation.ts";
import { pointingOf } from "./decide-about.ts";
import { type Candidate, sequence } from "./sequence.ts";

const now = 10_000;
const conv = "room/in";

function room(state: Partial<RoomState> = {}, more: Partial<Conversation> = {}): Conversation {
  return { ...newConversation(conv), lastSeq: 20, room: { settings: {}, ...state }, ...more };
}

/** A copy of message `seq` of room `out`. */
function copy(of: Conversation, seq: number, more: Partial<AppendItem> & Partial<Candidate> = {}): Candidate {
  const { about, poll, annotations, stored, ...item } = more;
  const { via = [{ id: "out", seq }], from = "ann", type = "text" } = item;
  const content = { type, data: "+1", ...(about && { seq: about.seq }) };
  const body = Buffer.from(JSON.stringify({ id: `${seq}`, to: conv, content, via }));
  const made: AppendItem = { conv, device: "a", id: `${seq}`, origin: "nested", body, ...item, via, from, type };
  const pointing = pointingOf(made);
  return {
    ...{ item: made, conversation: of, stored, prevStored: true, refusal: undefined, poll, annotations },
    ...(pointing && { pointing, about }),
  };
}

function outcomes(...candidates: Candidate[]): string[] {
  const { outcomes: all } = sequence(candidates, 1, 10, now);
  return all.map((one) => ("error" in one ? `${one.error.code} ${one.error.details?.reason ?? ""}`.trim() : "stored"));
}

test("a copy needs no member, and its entry says where it came from, and where it goes on to: not back", () => {
  const inner = room({ nested: [{ id: "out" }, { id: "far" }, { id: "quiet", mode: "write" }] });
  const { entries } = sequence([copy(inner, 3)], 1, 10, now);
  assert.deepEqual(entries[0]?.event, { event: "message", onward: ["far"], via: { id: "out", seq: 3 } });
  assert.deepEqual(outcomes(copy(inner, 3, { via: [] })), ["invalid_packet"]);
  assert.deepEqual(outcomes(copy(inner, 3, { via: Array.from({ length: 17 }, () => ({ id: "x", seq: 1 })) })), [
    "invalid_packet",
  ]);
});

test("it is refused where the room is gone, archived, or hears nothing of the other; where its sender is banned or muted", () => {
  const member = { ...newMember(conv, "ann"), stays: [[1, null]] as Stay[] };
  const withAnn = (about: object) => room({}, { members: new Map([["ann", { ...member, ...about }]]) });
  const refused = [
    [room({}, { lastSeq: 0 }), "not_found room"],
    [room({ deleted: true }), "not_found room"],
    [room({ archived: true }), "forbidden archived"],
    [room({ nested: [{ id: "out", mode: "read" }] }), "forbidden mode"],
    [room({ nested: [{ id: "out", mode: "write" }] }), "stored"],
    [withAnn({ banned: true, stays: [] }), "forbidden banned"],
    [withAnn({ mutedUntil: null }), "forbidden muted"],
    [withAnn({ mutedUntil: now - 1 }), "stored"],
    [withAnn({ mode: "read" }), "stored"],
  ] as const;
  for (const [inner, why] of refused) assert.deepEqual(outcomes(copy(inner, 3)), [why]);
});

test("the room's own messagesPerSecond counts, and what was refused does not come in behind what was said after it", () => {
  const inner = room({ settings: { messagesPerSecond: 2 } });
  const [one, two, three] = [copy(inner, 3), copy(inner, 4), copy(inner, 5)];
  assert.deepEqual(outcomes(one, two, three), ["stored", "stored", "rate_limited write_speed"]);
  const later = room({}, { takenFrom: new Map([["out", 6]]) });
  const stored = { conv, seq: 7, body: Buffer.alloc(0), event: null } as unknown as LogEntry;
  const dead = copy(later, 4, { stored });
  assert.deepEqual(outcomes(copy(later, 5), dead, copy(later, 7), copy(later, 6, { id: "b" })), [
    "out_of_order",
    "stored",
    "stored",
    "out_of_order",
  ]);
});

test("what is about a copy was decided where it comes from; an original is its own room's to take away", () => {
  const of = (from: string, way: string | undefined) => {
    const via = way === undefined ? {} : { via: [{ id: way, seq: 1 }] };
    const origin = way === undefined ? null : "nested";
    const body = Buffer.from(JSON.stringify({ id: "m", content: { type: "text" }, ...via }));
    return { conv, seq: 8, ord: 8, from, type: "text", origin, event: null, body } as unknown as LogEntry;
  };
  const recall = (about: LogEntry, via = [{ id: "out", seq: 9 }]) =>
    outcomes(copy(room(), 9, { type: "recall", about, via }))[0];
  assert.equal(recall(of("ann", undefined)), "stored", "its author's");
  assert.equal(recall(of("bob", "out")), "stored", "an admin's, of a copy that came the same way");
  assert.equal(recall(of("bob", "other")), "forbidden");
  assert.equal(recall(of("bob", undefined)), "forbidden");
  const says = { ...of("bob", "out"), origin: null };
  assert.equal(recall(says), "forbidden", "of a version before, whose sender says so");
  const further = [
    { id: "out", seq: 9 },
    { id: "between", seq: 4 },
  ];
  assert.equal(recall(of("bob", "out"), further), "stored");
  assert.deepEqual(outcomes(copy(room(), 9, { type: "edit", about: of("bob", "out") })), ["forbidden"]);
  assert.deepEqual(outcomes(copy(room(), 9, { type: "reaction", about: of("bob", "other") })), ["stored"]);
  assert.deepEqual(outcomes(copy(room(), 9, { type: "reaction" })), ["invalid_packet"]);
});

test("a copy disappears when its message does, or as early as messages of its own room", () => {
  for (const [seconds, expected] of [
    [3_600, now + 60_000],
    [1, now + 1_000],
  ] as const) {
    const inner = room({}, { expiry: { seq: 1, expiry: { seconds, from: "sent" } } });
    const { entries } = sequence([copy(inner, 3, { expiresAt: now + 60_000 })], 1, 10, now);
    assert.equal(entries[0]?.event?.expiresAt, expected);
  }
});
