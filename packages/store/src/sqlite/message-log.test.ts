// What the SQLite log promises beyond the port: it sees a hole before it is there.
import assert from "node:assert/strict";
import { test } from "node:test";
import { append, entries, entry, partitionOf } from "../conformance/entries.ts";
import { openEngine } from "./open-engine.ts";

const conv = "room/r1";
const q = partitionOf(conv);

test("a batch that would leave a hole behind the last entry is refused", async (t) => {
  const log = (await openEngine(t)).store.log();
  await assert.rejects(append(log, [entry(conv, 2, 2)]), { code: "gap", details: { q, pos: 2 } });
  await append(log, entries(conv, 1, 3));
  await assert.rejects(append(log, [entry(conv, 5, 5)]), { code: "gap", details: { q, pos: 5 } });
  assert.deepEqual(await log.last(q), { pos: 3 });
});

test("when a batch is refused, the next one of its partition in the same turn leaves no hole", async (t) => {
  const log = (await openEngine(t)).store.log();
  await append(log, entries(conv, 1, 3));
  const results = await Promise.allSettled([
    append(log, [entry(conv, 4, 4), entry(conv, 5, 5, { id: "id-1" })]),
    append(log, [entry(conv, 6, 6)]),
  ]);
  assert.deepEqual(
    results.map((result) => result.status === "rejected" && result.reason.code),
    ["duplicate_key", "gap"],
  );
  assert.deepEqual(await log.last(q), { pos: 4 });
});
