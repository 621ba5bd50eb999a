// Whatever fails between the engine and its server: it is one of the port's errors, and the one recovery loses and doubles nothing.
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import { eventually, type Fault, hasMongo, startFaultyMongo, testMongo } from "@parley/testkit";
import { entry, keyOf, partitionOf } from "../conformance/entries.ts";
import type { MessageLog } from "../log.ts";
import { openStore } from "../open-store.ts";
import { StoreError } from "../store-error.ts";

const conv = "room/r1";
const q = partitionOf(conv);
const messages = "history_messages";

async function openFaulty(t: TestContext) {
  let close = async () => {};
  t.after(() => close());
  const mongo = await testMongo(t);
  assert.ok(mongo);
  const faulty = await startFaultyMongo(t, mongo.url);
  const store = await openStore(faulty.url, { service: "history" });
  close = () => store.close();
  return { store, faulty };
}

/** The recovery of a partition's writer: read `last`, look each message up, append the rest at new positions. */
async function appendSurely(log: MessageLog, ids: readonly string[]): Promise<StoreError["code"][]> {
  const met: StoreError["code"][] = [];
  for (let attempt = 1; ; attempt++) {
    try {
      const { pos } = await log.last(q);
      const stored = await log.find(ids.map((id) => keyOf(entry(conv, 1, 1, { id }))));
      const missing = ids.filter((_, at) => stored[at] === undefined);
      await log.append(
        q,
        missing.map((id, at) => entry(conv, pos + at + 1, pos + at + 1, { id })),
      );
      return met;
    } catch (error) {
      assert.ok(error instanceof StoreError, String(error));
      assert.ok(attempt < 5, `${error}`);
      met.push(error.code);
    }
  }
}

async function assertWhole(log: MessageLog, ids: readonly string[]): Promise<void> {
  const stored = await log.follow(q, 0, 100);
  assert.deepEqual(
    stored.map((each) => [each.pos, each.seq, each.id]),
    ids.map((id, at) => [at + 1, at + 1, id]),
  );
}

const failures: [string, Fault, StoreError["code"]][] = [
  ["a connection that is lost before the command", { kind: "cutBefore" }, "unavailable"],
  ["a lost answer", { kind: "loseAnswer" }, "unavailable"],
  ["a connection cut in the middle of the answer", { kind: "cutAnswer" }, "unavailable"],
  ["189 PrimarySteppedDown", { kind: "refuse", code: 189 }, "unavailable"],
  ["91 ShutdownInProgress", { kind: "refuse", code: 91 }, "unavailable"],
  ["10107 NotWritablePrimary", { kind: "refuse", code: 10107 }, "unavailable"],
  ["189 after the write was done", { kind: "doThenRefuse", code: 189 }, "unavailable"],
  ["11600 InterruptedAtShutdown after the write was done", { kind: "doThenRefuse", code: 11600 }, "unavailable"],
  ["64 WriteConcernFailed behind a write that is there", { kind: "noMajority", code: 64 }, "unavailable"],
  ["91 as a write concern error", { kind: "noMajority", code: 91 }, "unavailable"],
  ["11000 at the first entry", { kind: "refuseOne", code: 11000, done: 0 }, "duplicate_key"],
  ["11000 in the middle", { kind: "refuseOne", code: 11000, done: 2 }, "duplicate_key"],
  ["a server that steps down in the middle of a batch", { kind: "refuseOne", code: 189, done: 2 }, "unavailable"],
  ["a full disk", { kind: "refuseOne", code: 14031, done: 0 }, "full"],
  ["a disk that fills up in the middle", { kind: "refuseOne", code: 14031, done: 2 }, "unavailable"],
];

const skip = !hasMongo();

// Side by side: after a lost connection the driver asks the server at most every half second.
describe("an append that fails", { concurrency: 8 }, () => {
  for (const [what, fault, code] of failures) {
    test(`${what} is ${code}; after looking up and appending the rest each message is stored once, in order`, {
      skip,
    }, async (t) => {
      const { store, faulty } = await openFaulty(t);
      const log = store.log();
      assert.deepEqual(await appendSurely(log, ["a", "b"]), []);
      faulty.inject("insert", messages, fault);
      assert.deepEqual(await appendSurely(log, ["c", "d", "e", "f"]), [code]);
      assert.deepEqual(await appendSurely(log, ["f", "g"]), []);
      assert.equal(faulty.happened(), 1);
      await assertWhole(log, ["a", "b", "c", "d", "e", "f", "g"]);
    });
  }
});

test("one failure after another, in reads and writes, costs tries and nothing else", { skip }, async (t) => {
  const { store, faulty } = await openFaulty(t);
  const log = store.log();
  faulty.inject("insert", messages, { kind: "loseAnswer" });
  faulty.inject("insert", messages, { kind: "noMajority", code: 64 });
  faulty.inject("find", messages, { kind: "refuse", code: 10107 }, 2);
  await appendSurely(log, ["a", "b"]);
  faulty.inject("find", messages, { kind: "cutAnswer" }, 3);
  faulty.inject("insert", messages, { kind: "cutBefore" });
  await appendSurely(log, ["c"]);
  await appendSurely(log, ["d"]);
  await assertWhole(log, ["a", "b", "c", "d"]);
});

test("an append that reaches the server behind its own recovery is stored in no part", { skip }, async (t) => {
  const { store, faulty } = await openFaulty(t);
  const log = store.log();
  await appendSurely(log, ["a"]);
  faulty.inject("insert", messages, { kind: "deliverLate", ms: 1_500 });
  assert.deepEqual(await appendSurely(log, ["b", "c"]), ["unavailable"]);
  assert.deepEqual(await appendSurely(log, ["d"]), []);
  await eventually(() => faulty.underWay() === 0);
  await assertWhole(log, ["a", "b", "c", "d"]);
});

test("a read is tried again by itself when the connection is lost", { skip }, async (t) => {
  const { store, faulty } = await openFaulty(t);
  await appendSurely(store.log(), ["a"]);
  faulty.inject("find", messages, { kind: "loseAnswer" });
  assert.deepEqual(await store.log().last(q), { pos: 1 });
});

test("a write of documents whose answer is lost is told as unknown, never done twice or called taken", {
  skip,
}, async (t) => {
  const { store, faulty } = await openFaulty(t);
  const names = await store.documents().collection<{ n: number }>({ name: "names" });
  const unknown = (error: unknown) => error instanceof StoreError && error.code === "unavailable";
  faulty.inject("insert", "history_names", { kind: "loseAnswer" });
  await assert.rejects(names.insert("a", { n: 1 }), unknown);
  assert.equal((await names.get("a"))?.doc.n, 1);
  assert.equal(await names.insert("a", { n: 2 }), false);
  const { version } = (await names.get("a"))!;
  faulty.inject("update", "history_names", { kind: "doThenRefuse", code: 189 });
  await assert.rejects(names.update("a", { n: 3 }, version), unknown);
  assert.equal(await names.update("a", { n: 4 }, version), false);
  faulty.inject("update", "history_names", { kind: "noMajority", code: 64 });
  await assert.rejects(names.put([{ key: "b", doc: { n: 1 } }]), unknown);
  await names.put([{ key: "b", doc: { n: 2 } }]);
  assert.equal((await names.get("b"))?.doc.n, 2);
});

test("readiness is refused within two seconds while no write is confirmed, and comes back", { skip }, async (t) => {
  const { store, faulty } = await openFaulty(t);
  const unavailable = (error: unknown) => error instanceof StoreError && error.code === "unavailable";
  await store.check();
  faulty.inject("update", "history_meta", { kind: "noMajority", code: 64 });
  await assert.rejects(store.check(), unavailable);
  await store.check();
  faulty.inject("update", "history_meta", { kind: "late", ms: 3_000 });
  await assert.rejects(store.check(), unavailable);
});
