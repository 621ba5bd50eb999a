// History on a MongoDB that fails in every way a replica set can: the one recovery loses nothing and doubles nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Fault, hasMongo, startFaultyMongo, testMongo } from "@parley/testkit";
import { startTestHistory } from "./surroundings.ts";

const faults: Fault[] = [
  { kind: "cutBefore" },
  { kind: "loseAnswer" },
  { kind: "cutAnswer" },
  { kind: "deliverLate", ms: 800 },
  { kind: "refuse", code: 189 },
  { kind: "refuse", code: 91 },
  { kind: "doThenRefuse", code: 10107 },
  { kind: "noMajority", code: 64 },
  { kind: "refuseOne", code: 11000, done: 0 },
  { kind: "refuseOne", code: 189, done: 3 },
];
const conv = "p2p/alice/bob";

test("messages taken while the store's commits fail are stored once each, in their order, without gaps", {
  skip: !hasMongo(),
}, async (t) => {
  const mongo = await testMongo(t);
  assert.ok(mongo);
  const faulty = await startFaultyMongo(t, mongo.url);
  const history = await startTestHistory(t, faulty.url);
  await history.say("alice", "bob", "first");
  const ids = ["first"];
  for (const [round, fault] of faults.entries()) {
    faulty.inject("insert", "history_messages", fault);
    const group = Array.from({ length: 5 }, (_, n) => `${round}-${n}`);
    const outcomes = await history.append(...group.map((id) => history.item("alice", conv, id)));
    ids.push(...group);
    assert.deepEqual(
      outcomes.map((outcome) => "seq" in outcome && outcome.seq),
      group.map((id) => ids.indexOf(id) + 1),
      JSON.stringify(fault),
    );
  }
  assert.equal(faulty.happened(), faults.length);
  await history.restart();
  const { messages, lastSeq } = await history.get("bob", { conv, after: 0, limit: 500 });
  assert.equal(lastSeq, ids.length);
  assert.deepEqual(
    messages.map(({ seq, id }) => [seq, id]),
    ids.map((id, at) => [at + 1, id]),
  );
});
