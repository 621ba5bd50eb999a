import assert from "node:assert/strict";
import { test } from "node:test";
import type { Stay } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { newMember } from "../fold/members.ts";
import { type Conversation, newConversation } from "./conversation.ts";
import { pointingOf } from "./decide-about.ts";
import { type Candidate, sequence } from "./sequence.ts";

function conversation(conv: string, state: Partial<Conversation> = {}): Conversation {
  return { ...newConversation(conv), ...state };
}

function candidate(
  of: Conversation,
  id: string,
  more: Partial<Candidate["item"]> & Partial<Candidate> = {},
): Candidate {
  const { stored, prevStored = true, refusal, about, ...item } = more;
  const body = Buffer.from(JSON.stringify({ content: { seq: about?.seq, data: "+1" } }));
  const base = { conv: of.conv, from: "a", device: "a", id, type: "text", body };
  const made = { ...base, ...item };
  const pointing = pointingOf(made);
  return {
    item: made,
    conversation: of,
    stored,
    prevStored,
    refusal,
    ...(pointing && { pointing, about }),
  } as Candidate;
}

const p2p = conversation("p2p/a/b", { lastSeq: 4, lastOrd: 3, lastTs: 100 });
const someone = { ...newMember("p2p/a/b", "a"), stays: [[1, null]] as Stay[] };
p2p.members.set("a", someone);
const first = { conv: "p2p/a/b", seq: 1, ord: 1, from: "b", type: "text" } as LogEntry;

test("places are dense: pos in the partition, seq in each conversation, ord counts what counts", () => {
  const other = conversation("p2p/a/c");
  const { entries } = sequence(
    [
      candidate(p2p, "1"),
      candidate(other, "2"),
      candidate(p2p, "3", { type: "reaction", about: first }),
      candidate(p2p, "4"),
    ],
    1,
    10,
    200,
  );
  assert.deepEqual(
    entries.map(({ pos, conv, seq, ord }) => [pos, conv, seq, ord]),
    [
      [11, "p2p/a/b", 5, 4],
      [12, "p2p/a/c", 1, 1],
      [13, "p2p/a/b", 6, 4],
      [14, "p2p/a/b", 7, 5],
    ],
  );
});

test("time never runs backwards within a conversation", () => {
  assert.equal(sequence([candidate(p2p, "1")], 1, 10, 50).entries[0]?.ts, 100);
});

test("the same id twice in a batch is stored once and answered twice with the same seq", () => {
  const { entries, outcomes } = sequence([candidate(p2p, "1"), candidate(p2p, "1")], 1, 10, 200);
  assert.equal(entries.length, 1);
  assert.deepEqual(
    outcomes.map((outcome) => "seq" in outcome && outcome.seq),
    [5, 5],
  );
});

test("a message that was stored before is answered with what is stored, even if its sender has left", () => {
  const room = conversation("room/r", { lastSeq: 3 });
  const [stored] = sequence([candidate(p2p, "1")], 1, 10, 200).entries;
  const { entries, outcomes } = sequence([candidate(room, "1", { stored })], 1, 10, 200);
  assert.equal(entries.length, 0);
  assert.ok("duplicate" in (outcomes[0] ?? {}));
});

test("only members may send: to a room, and to a conversation between two", () => {
  const room = conversation("room/r", {
    lastSeq: 3,
    members: new Map([["b", { ...newMember("room/r", "b"), stays: [[1, 2]] }]]),
  });
  const codes = sequence(
    [
      candidate(room, "1"),
      candidate(room, "2", { from: "b" }),
      candidate(conversation("room/none"), "3"),
      candidate(p2p, "4", { from: "eve" }),
    ],
    1,
    10,
    200,
  ).outcomes.map((outcome) => ("error" in outcome ? outcome.error.code : "stored"));
  assert.deepEqual(codes, ["not_found", "not_member", "not_found", "not_member"]);
});

test("a message whose prev is not stored is refused; one whose prev is in the batch is not", () => {
  const { outcomes } = sequence(
    [
      candidate(p2p, "2", { prev: "1", prevStored: false }),
      candidate(p2p, "1"),
      candidate(p2p, "3", { prev: "1", prevStored: false }),
    ],
    1,
    10,
    200,
  );
  assert.deepEqual(
    outcomes.map((outcome) => ("error" in outcome ? outcome.error.code : outcome.seq)),
    ["out_of_order", 5, 6],
  );
});

test("a duplicate is answered with the message as it is kept only where something else was sent under its id", () => {
  const [stored] = sequence([candidate(p2p, "1", { body: Buffer.from('{"v":1}') })], 1, 10, 200).entries;
  const again = (body: string) =>
    sequence([candidate(p2p, "1", { stored, body: Buffer.from(body) })], 1, 11, 300).outcomes[0];
  assert.deepEqual(again('{"v":1}'), { seq: 5, ts: 200, memberSeq: 0, duplicate: true });
  assert.deepEqual(again('{"v":2}'), {
    seq: 5,
    ts: 200,
    memberSeq: 0,
    duplicate: true,
    stored: stored?.body,
    storedAt: 11,
  });
});

test("in a topic of guests who is no member writes too, but not who is banned, and not when it is archived or deleted", () => {
  const conv = "room/chat";
  const guests = { settings: {}, guests: true } as const;
  const refusalIn = (state: Partial<Conversation>, item: Partial<Candidate["item"]> = {}) => {
    const [outcome] = sequence(
      [candidate(conversation(conv, { lastSeq: 1, ...state }), "1", item)],
      1,
      10,
      200,
    ).outcomes;
    return outcome && "error" in outcome ? outcome.error.code : outcome?.seq;
  };
  const banned = new Map([["a", { ...newMember(conv, "a"), banned: true as const }]]);
  assert.equal(refusalIn({ room: guests }), 2);
  assert.equal(refusalIn({ room: { settings: {} } }), "not_found");
  assert.equal(refusalIn({ room: { settings: { join: "open" } } }), "not_member");
  assert.equal(refusalIn({}), "not_found");
  assert.equal(refusalIn({ room: guests, members: banned }), "not_member");
  assert.equal(refusalIn({ room: { ...guests, archived: true } }), "forbidden");
  assert.equal(refusalIn({ room: { ...guests, deleted: true } }), "not_found");
  assert.equal(refusalIn({ room: { settings: { write: "admin" }, guests: true } }), "forbidden", "read only");
  assert.equal(refusalIn({ room: guests }, { mentions: { uids: [], all: true } }), "forbidden");
  assert.equal(refusalIn({ room: guests }, { reply: 1 }), "not_found", "there is nothing that it may answer");
});

test("of a member who is there with some devices only these write, and its user itself", () => {
  const room = conversation("room/r", { lastSeq: 1, memberSeq: 1 });
  room.members.set("a", { ...newMember("room/r", "a"), stays: [[1, null]], devices: ["a:pc"] });
  const from = (device: string, more: Partial<Candidate["item"]> = {}) => candidate(room, device, { device, ...more });
  const asked = [
    from("a:pc"),
    from("a:phone"),
    from("a"),
    from("api", { origin: "api" }),
    from("key:1", { origin: "key" }),
  ];
  const { outcomes } = sequence(asked, 1, 10, 200);
  assert.deepEqual(
    outcomes.map((outcome) => ("error" in outcome ? outcome.error.code : outcome.seq)),
    [2, "not_member", "not_member", 3, 4],
  );
  room.members.get("a")!.deviceJoins = [["a:pc", 5, 0]];
  const [answer] = sequence([from("a:pc", { reply: 1 })], 1, 10, 200).outcomes;
  assert.equal(answer && "error" in answer && answer.error.code, "not_found", "what it answers it can read");
});
