import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message, PushJob, PushState } from "@parley/protocol";
import { type Facts, judge, type SkipReason } from "./judge.ts";

const now = 1_000_000;
const message = {
  conv: "p2p/ann/bob",
  seq: 5,
  from: "ann",
  content: { type: "text", data: "hi" },
} as unknown as Message;
const state: PushState = { mayRead: true, readSeq: 4, unread: 1 };
const facts: Facts = { now, state, message, person: { name: "Ann" }, settings: { mentions: true, dndUntil: null } };
const job = (more: Partial<PushJob> = {}): PushJob => ({
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  token: "t",
  conv: "p2p/ann/bob",
  seq: 5,
  at: now - 2_000,
  ...more,
});
const state_ = (more: Partial<PushState>): Partial<Facts> => ({ state: { ...state, ...more } });

const cases: [title: string, job: PushJob, facts: Partial<Facts>, skip: SkipReason | undefined][] = [
  ["a message that nobody has read", job(), {}, undefined],
  ["one that is gone", job(), { message: null }, "nothing_to_say"],
  ["one that the user may not read", job(), state_({ mayRead: false }), "not_readable"],
  ["one that was read meanwhile", job(), state_({ readSeq: 5 }), "read"],
  ["in a muted conversation", job(), state_({ mutedUntil: now + 1 }), "muted"],
  ["in one that was muted until now", job(), state_({ mutedUntil: now }), undefined],
  ["a mention in a muted conversation", job(), state_({ mutedUntil: now + 1, mentioned: true }), undefined],
  [
    "a mention in a muted conversation of who does not want them",
    job(),
    { ...state_({ mutedUntil: now + 1, mentioned: true }), settings: { mentions: false, dndUntil: null } },
    "muted",
  ],
  ["by somebody who is muted", job(), { person: { name: "Ann", muted: true } }, "muted"],
  [
    "by somebody who is blocked",
    job(),
    { ...state_({ mentioned: true }), person: { name: "Ann", blocked: true } },
    "blocked",
  ],
  ["while the user is not to be disturbed", job(), { settings: { mentions: true, dndUntil: now + 1 } }, "dnd"],
  ["when that is over", job(), { settings: { mentions: true, dndUntil: now } }, undefined],
  ["a call that rings", job({ kind: "call", at: now - 30_000 }), {}, undefined],
  ["a call that rang", job({ kind: "call", at: now - 30_001 }), {}, "not_ringing"],
  ["a call of a muted conversation", job({ kind: "call" }), state_({ mutedUntil: now + 1 }), "muted"],
  ["an invitation", job({ kind: "invitation" }), state_({ mayRead: false, isInvited: true }), undefined],
  ["into a room where the user is by now", job({ kind: "invitation" }), state_({ mayRead: true }), undefined],
  [
    "an invitation that was declined or taken back",
    job({ kind: "invitation" }),
    state_({ mayRead: false }),
    "not_readable",
  ],
  ["a request", job({ kind: "request", by: "ann" }), { person: { name: "Ann", relation: "pending" } }, undefined],
  [
    "a request that was answered",
    job({ kind: "request", by: "ann" }),
    { person: { name: "Ann", relation: "contact" } },
    "nothing_to_say",
  ],
  [
    "by who is muted",
    job({ kind: "request", by: "ann" }),
    { person: { name: "Ann", relation: "pending", muted: true } },
    "muted",
  ],
  ["a new contact", job({ kind: "accepted", by: "ann" }), { person: { name: "Ann", relation: "contact" } }, undefined],
  ["one who is none any more", job({ kind: "accepted", by: "ann" }), { person: { name: "Ann" } }, "nothing_to_say"],
  [
    "that the user read on, not to be disturbed",
    job({ kind: "read" }),
    { settings: { mentions: true, dndUntil: now + 1 } },
    undefined,
  ],
];

for (const [title, one, more, skip] of cases)
  test(`${title}: ${skip ?? "is told"}`, () => {
    assert.equal(judge(one, { ...facts, ...more }), skip);
  });
