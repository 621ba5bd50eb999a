// The checker on devices with programs of other protocols: a right run, and what it must find wrong.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { check } from "./check.ts";
import type { Copy, ProgramDevice, Reader, RunRecord, Sent, Utterance } from "./record.ts";
import { breaking, nothingElse } from "./rules-broken.ts";

const [pair, room] = ["p2p/ann/bob", "room/tea"];

const text = (conv: string, seq: number, from: string, device: string): Copy => {
  const id = `${conv === room ? "room" : "pair"}${seq}`;
  const to = conv === room ? conv : from === "ann" ? "user/bob" : "user/ann";
  return {
    conv,
    seq,
    from,
    device,
    id,
    type: "text",
    body: JSON.stringify({ id, to, content: { data: `${conv} ${seq}` } }),
  };
};
const reaction = (seq: number): Copy => ({ ...text(room, seq, "ann", "ann:a"), type: "reaction" });

// bob's program says the second message in each.
const stored = [
  ...[text(pair, 1, "ann", "ann:a"), text(pair, 2, "bob", "bob/x"), text(pair, 3, "ann", "ann:a")],
  ...[text(room, 1, "ann", "ann:a"), text(room, 2, "bob", "bob/x"), reaction(3)],
];
const wordsOf = ({ body }: Copy) => (JSON.parse(body) as { content: { data: string } }).content.data;
const sentOf = ({ conv, from, device, id, type, body, seq }: Copy): Sent => {
  return { conv, from, device, id, type, body, order: seq, tries: 1, nacks: [], prev: undefined, firstAt: 0 };
};
const heardOf = (copy: Copy, withSeq: boolean): Utterance => ({
  conv: copy.conv,
  from: copy.from,
  id: copy.id,
  seq: withSeq ? copy.seq : undefined,
  text: copy.type === "text" ? wordsOf(copy) : "+1 to something",
});

function rightRun() {
  const view = (conv: string) => {
    const messages = structuredClone(stored.filter((copy) => copy.conv === conv));
    return { messages, firstSeq: 1, lastSeq: 3 };
  };
  const views = () => new Map([pair, room].map((conv) => [conv, view(conv)]));
  const unread = { ann: { [pair]: 0, [room]: 1 }, bob: { [pair]: 1, [room]: 0 } };
  const reader = (uid: "ann" | "bob"): Reader => ({
    uid,
    views: views(),
    synced: views(),
    listed: new Map([pair, room].map((conv) => [conv, { lastSeq: 3, readSeq: 0, unread: unread[uid][conv] ?? 0 }])),
    marks: new Map(),
    glimpses: new Map(),
  });
  const native = stored.filter(({ device }) => device === "ann:a");
  const own = stored.filter(({ device }) => device === "bob/x");
  // One hears its own in rooms and no seq, as mqtt-chat; the other nothing of its own and a seq, as slimchat.
  const program = (uid: string, device: string, fields: Partial<ProgramDevice>): ProgramDevice => ({
    uid,
    device,
    program: device,
    echoes: "rooms",
    sent: [],
    texts: new Map(),
    confirmed: new Map(),
    heard: [],
    ...fields,
  });
  return {
    members: new Map([
      [pair, ["ann", "bob"]],
      [room, ["ann", "bob"]],
    ]),
    passing: new Map(),
    refusedChanges: [],
    ...nothingElse,
    screens: [],
    sent: native.map(sentOf),
    acks: native.map(({ conv, device, id, seq }) => ({ conv, device, id, seq })),
    bad: [],
    receivers: [],
    programs: [
      program("bob", "bob/x", {
        sent: own.map(sentOf).map((one) => ({ ...one, body: undefined })),
        texts: new Map(own.map((copy) => [copy.id, wordsOf(copy)])),
        confirmed: new Map(own.map(({ id }) => [id, undefined])),
        heard: stored
          .filter(({ conv, device }) => conv === room || device !== "bob/x")
          .map((copy) => heardOf(copy, false)),
      }),
      program("bob", "slim-bob", { echoes: "never", heard: stored.map((copy) => heardOf(copy, true)) }),
    ],
    readers: [reader("ann"), reader("bob")],
    liveComplete: true as boolean,
  } satisfies RunRecord;
}

type Run = ReturnType<typeof rightRun>;

const rulesBroken = breaking(rightRun);
const [once, complete, kept] = [
  "a program of another protocol hears each message once, in seq order",
  "a program of another protocol hears everything",
  "what a program of another protocol sends is confirmed, and then stored as it was said",
];
const heard = ({ programs }: Run, at: 0 | 1) => programs[at]!.heard as Utterance[];

test("a run in which programs of other protocols hear and say all is right", () => {
  assert.deepEqual(check(rightRun()), []);
});

describe("a run is found wrong", () => {
  const wrong: Record<string, [change: (run: Run) => void, rules: string[]]> = {
    "when a program never heard a message that has a seq": [(run) => void heard(run, 1).pop(), [complete]],
    "when a program never heard a message that has none": [(run) => void heard(run, 0).shift(), [complete]],
    "when its own message did not come back where it should": [
      (run) =>
        void heard(run, 0).splice(
          heard(run, 0).findIndex(({ from }) => from === "bob"),
          1,
        ),
      [complete],
    ],
    "when a later message was heard first": [
      (run) => void heard(run, 1).splice(0, 2, heard(run, 1)[1]!, heard(run, 1)[0]!),
      [once],
    ],
    "and where there is no seq": [
      (run) => void heard(run, 0).splice(0, 2, heard(run, 0)[1]!, heard(run, 0)[0]!),
      [once],
    ],
    "when a message came under another one's seq": [(run) => Object.assign(heard(run, 1)[0]!, { seq: 2 }), [once]],
    "when a message came with another text": [(run) => Object.assign(heard(run, 1)[0]!, { text: "other" }), [once]],
    "when a message came again with another text": [
      (run) => void heard(run, 1).push({ ...heard(run, 1)[0]!, text: "other" }),
      [once],
    ],
    "when one was heard that nobody stored": [
      (run) => void heard(run, 1).push({ ...heard(run, 1)[0]!, id: "ghost", seq: 9 }),
      [once],
    ],
    "when one of a conversation of others was heard": [
      (run) => void heard(run, 1).push({ ...heard(run, 1)[0]!, conv: "p2p/ann/cleo" }),
      [once],
    ],
    "when what it sent was never confirmed": [
      ({ programs }) => (programs[0]!.confirmed as Map<string, undefined>).clear(),
      [kept],
    ],
    "when it was confirmed under another seq": [
      ({ programs }) => (programs[0]!.confirmed as Map<string, number>).set("room2", 7),
      [kept],
    ],
    "when it is stored with another text": [
      ({ programs }) => (programs[0]!.texts as Map<string, string>).set("room2", "x"),
      [kept],
    ],
    "when it was confirmed and is nowhere": [
      ({ programs: [one] }) => {
        (one!.sent as Sent[]).push({ ...one!.sent[0]!, id: "lost", order: 9 });
        (one!.confirmed as Map<string, undefined>).set("lost", undefined);
      },
      [kept],
    ],
  };
  for (const [title, [change, rules]] of Object.entries(wrong))
    test(title, () => assert.deepEqual(rulesBroken(change), rules));
});

describe("a run is right also", () => {
  const right: Record<string, (run: Run) => void> = {
    "when messages came again, the same as before": (run) => void heard(run, 1).push(...heard(run, 1).slice(0, 3)),
    "when a reaction, which is told in words, came again in other words": (run) =>
      void heard(run, 1).push({ ...heard(run, 1).at(-1)!, text: "+1 to message 1" }),
    "when a broker that died forgot what it had confirmed, and what was heard": (run) => {
      run.liveComplete = false;
      heard(run, 0).length = 2;
      const [one] = run.programs;
      (one!.sent as Sent[]).push({ ...one!.sent[0]!, id: "lost", order: 9 });
      (one!.confirmed as Map<string, undefined>).set("lost", undefined);
    },
  };
  for (const [title, change] of Object.entries(right)) test(title, () => assert.deepEqual(rulesBroken(change), []));
});
