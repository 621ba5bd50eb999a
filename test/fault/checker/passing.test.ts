// The checker on a member who is removed and invited again, and on screens: a right run, and what it must find wrong.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { check } from "./check.ts";
import type { Copy, Reader, RunRecord } from "./record.ts";
import { breaking, nothingElse } from "./rules-broken.ts";

const conv = "room/few";

const copy = (seq: number, type: string, data: object): Copy => ({
  conv,
  seq,
  from: "ann",
  device: "ann:a",
  id: `m${seq}`,
  type,
  body: JSON.stringify({ id: `m${seq}`, to: conv, content: { type, data } }),
});
const event = (seq: number, name: string, uids: string[]) => copy(seq, "event", { event: name, by: "ann", uids });
const text = (seq: number) => copy(seq, "text", { text: seq });

// bob is a member from 1 to 3 and again from 5 on.
const all = [
  event(1, "create", ["bob"]),
  text(2),
  event(3, "remove", ["bob"]),
  text(4),
  event(5, "invite", ["bob"]),
  text(6),
];
const forBob = all.filter(({ seq }) => seq !== 4);

function rightRun() {
  const view = (messages: readonly Copy[]) => ({ messages: structuredClone([...messages]), firstSeq: 1, lastSeq: 6 });
  const listed = new Map([[conv, { lastSeq: 6, readSeq: 0, unread: 0 }]]);
  const views = new Map([[conv, view(all)]]);
  const ann: Reader = { uid: "ann", views, synced: views, listed, marks: new Map(), glimpses: new Map() };
  const glimpses = new Map([[conv, [view(forBob), view(forBob)]]]);
  const bob: Reader = {
    uid: "bob",
    views: new Map(),
    synced: new Map(),
    listed: new Map(),
    marks: new Map(),
    glimpses,
  };
  const got = (copies: readonly Copy[]) => new Map([[conv, new Map(copies.map((one) => [one.seq, [one]]))]]);
  const texts = all.filter(({ type }) => type === "text");
  return {
    members: new Map([[conv, ["ann"]]]),
    passing: new Map([[conv, ["bob"]]]),
    refusedChanges: [] as string[],
    ...nothingElse,
    sent: texts.map(({ seq, body, ...one }) => {
      return { ...one, body, firstAt: 0, order: seq, tries: 1, nacks: [], prev: undefined };
    }),
    acks: texts.map(({ device, id, seq }) => ({ conv, device, id, seq })),
    bad: [],
    receivers: [{ uid: "bob", device: "bob:b", got: got(forBob) }],
    screens: [
      { uid: "ann", device: "ann:s", shown: new Map([[conv, [...all]]]) },
      { uid: "bob", device: "bob:s", shown: new Map([[conv, [...forBob]]]) },
    ],
    readers: [ann, bob],
    liveComplete: true as boolean,
  } satisfies RunRecord;
}

type Run = ReturnType<typeof rightRun>;

const rulesBroken = breaking(rightRun);

const screenOf = ({ screens }: Run, uid: string) => screens.find((screen) => screen.uid === uid)!.shown.get(conv)!;
const glimpseOf = ({ readers }: Run) => readers[1]!.glimpses.get(conv)![1]!.messages;
const removal = "a removed member gets nothing stored after its removal";
const stays = "a member gets everything stored while it was one";
const once = "the SDK shows each message once, in seq order";
const complete = "the SDK shows everything in the end";

test("a run in which a removed member has exactly its stays is right", () => {
  assert.deepEqual(check(rightRun()), []);
});

describe("a run is found wrong", () => {
  const wrong: Record<string, [change: (run: Run) => void, rules: string[]]> = {
    "when a removed member got a message live": [
      ({ receivers }) => void receivers[0]!.got.get(conv)!.set(4, [all[3]!]),
      [removal],
    ],
    "when one of several readings has a message of after the removal": [
      (run) => void glimpseOf(run).splice(3, 0, all[3]!),
      [removal],
    ],
    "when the SDK of a removed member showed a message of after the removal": [
      (run) => void screenOf(run, "bob").splice(3, 0, all[3]!),
      [removal],
    ],
    "when one of several readings lacks a message of a stay": [(run) => void glimpseOf(run).splice(1, 1), [stays]],
    "when a message of a stay never came live": [
      ({ receivers }) => void receivers[0]!.got.get(conv)!.delete(6),
      ["stored ⊆ received live"],
    ],
    "when a screen shows a message twice": [(run) => void screenOf(run, "ann").splice(2, 0, all[1]!), [once]],
    "when a screen shows a later message first": [(run) => void screenOf(run, "ann").reverse(), [once]],
    "when a screen lacks a message": [(run) => void screenOf(run, "ann").splice(1, 1), [complete]],
    "when a screen shows another message than the stored one": [
      (run) => void screenOf(run, "ann").splice(1, 1, { ...all[1]!, body: "another" }),
      [once],
    ],
    "when the SDK of a member lacks a message of its second stay": [
      (run) => void screenOf(run, "bob").pop(),
      [complete],
    ],
    "when a change of members was refused": [
      ({ refusedChanges }) => void refusedChanges.push("rooms.remove: internal"),
      ["a change of members is done"],
    ],
  };
  for (const [title, [change, rules]] of Object.entries(wrong))
    test(title, () => assert.deepEqual(rulesBroken(change), rules));
});
