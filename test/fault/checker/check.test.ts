// The checker must find what is wrong: a run that is right, and runs that differ from it in one thing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { check } from "./check.ts";
import type { Ack, Copy, Reader, RunRecord, Sent } from "./record.ts";
import { breaking, nothingElse } from "./rules-broken.ts";

const conv = "p2p/ann/bob";

function sentOf(device: string, order: number, fields: Partial<Sent> = {}): Sent {
  const id = `${device}-${order}`;
  const from = device.split(":")[0] ?? "";
  return {
    conv,
    from,
    device,
    id,
    type: "text",
    body: `body of ${id}`,
    order,
    tries: 1,
    nacks: [],
    prev: undefined,
    firstAt: 0,
    ...fields,
  };
}

const copyOf = ({ conv, from, device, id, type, body = "" }: Sent, seq: number): Copy => ({
  conv,
  from,
  device,
  id,
  type,
  body,
  seq,
});
const ackOf = ({ conv, device, id }: Sent, seq: number): Ack => ({ conv, device, id, seq });

// ann sends 1, 2 and 4, bob 3; bob has read 2.
function rightRun() {
  const sent = [sentOf("ann:a", 0), sentOf("ann:a", 1), sentOf("bob:b", 0), sentOf("ann:a", 2)];
  const messages = sent.map((one, index) => copyOf(one, index + 1));
  const view = () => ({ messages: structuredClone(messages), firstSeq: 1, lastSeq: 4 });
  const reader = (uid: string, readSeq: number, unread: number): Reader => ({
    uid,
    views: new Map([[conv, view()]]),
    synced: new Map([[conv, view()]]),
    listed: new Map([[conv, { lastSeq: 4, readSeq, unread }]]),
    marks: new Map([[conv, { asked: 2, told: 2 }]]),
    glimpses: new Map(),
  });
  const got = () => new Map([[conv, new Map(messages.map((copy) => [copy.seq, [{ ...copy }]]))]]);
  const ann = { ...reader("ann", 0, 0), marks: new Map() };
  return {
    members: new Map([[conv, ["ann", "bob"]]]),
    passing: new Map(),
    refusedChanges: [],
    ...nothingElse,
    screens: [],
    sent,
    acks: sent.map((one, index) => ackOf(one, index + 1)),
    bad: [
      { device: "ann:a", what: "not JSON", expected: "invalid_packet", mark: "mark-1.", nacks: ["invalid_packet"] },
    ],
    receivers: [
      { uid: "ann", device: "ann:a", got: got() },
      { uid: "bob", device: "bob:b", got: got() },
    ],
    readers: [ann, reader("bob", 2, 1)] as [Reader, Reader],
    liveComplete: true as boolean,
  } satisfies RunRecord;
}

type Run = ReturnType<typeof rightRun>;

const rulesBroken = breaking(rightRun);

const viewsOf = ({ readers }: Run, uid: string) => readers.find((reader) => reader.uid === uid)!.views.get(conv)!;
const everywhere = (run: Run, change: (messages: Copy[]) => void) => {
  for (const { views, synced } of run.readers)
    for (const view of [views.get(conv)!, synced.get(conv)!]) change(view.messages);
};

const swapFirstTwo = ({ sent: [one, two] }: Run) => {
  Object.assign(one!, { order: 1 });
  Object.assign(two!, { order: 0 });
};

test("a run in which everything is right has no violation", () => {
  assert.deepEqual(check(rightRun()), []);
});

describe("a run is found wrong", () => {
  const wrong: Record<string, [change: (run: Run) => void, rule: string]> = {
    "when an acknowledged message is stored nowhere": [
      (run) => run.acks.push(ackOf(sentOf("ann:a", 9), 5)),
      "acknowledged ⊆ stored, always with the same seq",
    ],
    "when an ack names another message's seq": [
      (run) => run.acks.push(ackOf(run.sent[0]!, 2)),
      "acknowledged ⊆ stored, always with the same seq",
    ],
    "when a message is never acknowledged": [(run) => void run.acks.pop(), "every message is acknowledged in the end"],
    "when a message is stored twice": [
      (run) => {
        everywhere(run, (messages) => messages.push({ ...messages[0]!, seq: 5 }));
        for (const reader of run.readers)
          for (const view of [...reader.views.values(), ...reader.synced.values()]) view.lastSeq = 5;
      },
      "nothing is stored twice",
    ],
    "when one member lacks a message": [
      (run) => void viewsOf(run, "bob").messages.splice(1, 1),
      "every member has the same messages",
    ],
    "when the last message is missing for one": [
      (run) => void viewsOf(run, "bob").messages.pop(),
      "every member has the same messages",
    ],
    "when two members see another order": [
      (run) => {
        const { messages } = viewsOf(run, "bob");
        [messages[1]!.id, messages[2]!.id] = [messages[2]!.id, messages[1]!.id];
      },
      "every member has the same messages",
    ],
    "when a member cannot read the conversation": [
      (run) => void run.readers[1].views.delete(conv),
      "every member has the same messages",
    ],
    "when seq has a gap": [(run) => everywhere(run, (messages) => messages.splice(2, 1)), "seq is 1 … n without gaps"],
    "when seq does not begin with 1": [
      (run) => everywhere(run, (messages) => messages.shift()),
      "seq is 1 … n without gaps",
    ],
    "when from is another's name": [
      (run) => everywhere(run, (messages) => void Object.assign(messages[2]!, { from: "ann" })),
      "stored is what its sender sent, from is who sent it",
    ],
    "when a body is another one": [
      (run) => everywhere(run, (messages) => void Object.assign(messages[2]!, { body: "something else" })),
      "stored is what its sender sent, from is who sent it",
    ],
    "when something is stored that nobody sent": [
      (run) => void run.sent.pop(),
      "stored is what its sender sent, from is who sent it",
    ],
    "when a bad packet is stored": [
      (run) => everywhere(run, (messages) => void Object.assign(messages[2]!, { body: "mark-1." })),
      "stored is what its sender sent, from is who sent it",
    ],
    "when a device's messages change places": [swapFirstTwo, "a device's messages keep their order"],
    "when a message comes before its prev": [
      (run) => Object.assign(run.sent[0]!, { prev: run.sent[1]!.id, tries: 4 }),
      "a device's messages keep their order",
    ],
    "when prev is not stored": [
      (run) => Object.assign(run.sent[0]!, { prev: "nothing" }),
      "a device's messages keep their order",
    ],
    "when a receiver never got a message": [
      (run) => void run.receivers[1]!.got.get(conv)!.delete(3),
      "stored ⊆ received live",
    ],
    "when a receiver got another message under a seq": [
      (run) =>
        void run.receivers[1]!.got.get(conv)!
          .get(3)!
          .push(copyOf(sentOf("bob:b", 7), 3)),
      "live copies are the stored ones",
    ],
    "when a receiver got what is not stored": [
      (run) => void run.receivers[1]!.got.get(conv)!.set(9, [copyOf(sentOf("bob:b", 7), 9)]),
      "live copies are the stored ones",
    ],
    "when sync lacks a message": [
      (run) => void run.readers[0].synced.get(conv)!.messages.shift(),
      "sync has everything",
    ],
    "when sync lacks a conversation": [(run) => void run.readers[0].synced.delete(conv), "sync has everything"],
    "when unread is one too many": [
      (run) => Object.assign(run.readers[1].listed.get(conv)!, { unread: 2 }),
      "unread is exact",
    ],
    "when a reaction counts as unread": [
      (run) => {
        run.sent[3]!.type = "reaction";
        everywhere(run, (messages) => void Object.assign(messages[3]!, { type: "reaction" }));
        for (const { got } of run.receivers) got.get(conv)!.get(4)![0]!.type = "reaction";
      },
      "unread is exact",
    ],
    "when the list lacks the conversation": [(run) => void run.readers[0].listed.clear(), "unread is exact"],
    "when a read mark went back": [
      (run) => Object.assign(run.readers[1].marks.get(conv)!, { told: 3 }),
      "marks move forward",
    ],
    "when a read mark is ahead of what was asked": [
      (run) => Object.assign(run.readers[1].marks.get(conv)!, { asked: 1 }),
      "marks move forward",
    ],
    "when a bad packet got no error": [
      (run) => run.bad[0]!.nacks.splice(0),
      "a bad packet is refused with a clear error",
    ],
    "when a bad packet got another error": [
      (run) => run.bad[0]!.nacks.push("internal"),
      "a bad packet is refused with a clear error",
    ],
  };
  for (const [title, [change, rule]] of Object.entries(wrong))
    test(title, () =>
      assert.deepEqual(
        rulesBroken(change).filter((broken) => broken === rule),
        [rule],
      ),
    );
});

describe("a run is found right", () => {
  test("when a message that was sent again stands behind a later one", () => {
    const change = (run: Run) => {
      swapFirstTwo(run);
      run.sent[0]!.tries = 2;
    };
    assert.deepEqual(rulesBroken(change), []);
  });
  test("when a receiver lacks a message live after the broker died", () => {
    const change = (run: Run) => {
      run.liveComplete = false;
      run.receivers[1]!.got.clear();
    };
    assert.deepEqual(rulesBroken(change), []);
  });
  test("when a message is acknowledged twice with the same seq", () => {
    assert.deepEqual(
      rulesBroken((run) => run.acks.push(run.acks[0]!)),
      [],
    );
  });
});
