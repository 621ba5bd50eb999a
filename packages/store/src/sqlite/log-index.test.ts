// The index is written behind the log: at every moment, and after every end of the process, all that is stored is found.
import assert from "node:assert/strict";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { append, entries, entry, keyOf, neighboursOf, partitionOf, plain, seqs } from "../conformance/entries.ts";
import type { EntryKey, LogEntry } from "../log.ts";
import { Database } from "./database.ts";
import { logSchema, toRow } from "./entry-rows.ts";
import { type IndexPace, LogIndex } from "./log-index.ts";
import { SqliteMessageLog } from "./message-log.ts";
import { freshFolder, hastyPace } from "./open-engine.ts";

const conv = "room/r1";
const q = partitionOf(conv);
const convs = [conv, ...neighboursOf(conv, 2), "room/other"];

async function open(t: TestContext, folder: string, pace?: IndexPace, schema = logSchema) {
  const database = await Database.open({ path: join(folder, "log.db"), schema, lockWaitMs: 0, cacheMiB: 1 });
  t.after(() => database.close());
  return { database, log: await SqliteMessageLog.open(database, pace) };
}

/** What the log should hold, as plain lists. */
function createModel() {
  let stored: LogEntry[] = [];
  /** keys that no entry has any more */
  const gone: EntryKey[] = [];
  const of = (name: string) => stored.filter((one) => one.conv === name);
  return {
    of,
    next: (name: string): LogEntry => {
      const pos = stored.filter((one) => one.q === partitionOf(name)).length;
      const seq = of(name).at(-1)?.seq ?? 0;
      const last = stored.findLast((one) => one.q === partitionOf(name))?.pos ?? pos;
      return entry(name, seq + 1, last + 1, { from: seq % 2 ? "alice" : "bob", id: `id-${name}-${seq * 7919}` });
    },
    add: (one: LogEntry) => stored.push(one),
    change: (name: string, seq: number, change: Partial<LogEntry>) => {
      if (change.id)
        gone.push(...of(name).flatMap((one) => (one.seq === seq && one.id !== change.id ? keyOf(one) : [])));
      stored = stored.map((one) => (one.conv === name && one.seq === seq ? { ...one, ...change } : one));
    },
    removeBelow: (name: string, seq: number) => {
      gone.push(...of(name).flatMap((one) => (one.seq < seq ? keyOf(one) : [])));
      stored = stored.filter((one) => one.conv !== name || one.seq >= seq);
    },
    async compare(log: SqliteMessageLog): Promise<void> {
      const limit = 10_000;
      for (const name of convs) {
        const expected = of(name).map(plain);
        const middle = expected[expected.length >> 1]?.seq ?? 1;
        assert.deepEqual((await log.range(name, { after: 0, limit })).map(plain), expected);
        assert.deepEqual((await log.range(name, { limit: 4 })).map(plain), expected.slice(-4));
        const [above, below] = [await log.range(name, { after: middle, limit: 3 }), { before: middle, limit: 3 }];
        assert.deepEqual(seqs(above), seqs(expected.filter(({ seq }) => seq > middle).slice(0, 3)));
        assert.deepEqual(
          seqs(await log.range(name, below)),
          seqs(expected.filter(({ seq }) => seq < middle).slice(-3)),
        );
        assert.deepEqual(plain((await log.heads([name])).get(name)), expected.at(-1));
        assert.equal(await log.first(name), expected[0]?.seq ?? 0);
        assert.deepEqual((await log.find(expected.map(keyOf))).map(plain), expected);
        const senders = new Set(expected.filter(({ seq }) => seq > middle).map(({ from }) => from));
        assert.deepEqual(await log.senders(name, middle, limit, limit), [...senders].sort());
      }
      assert.ok((await log.find(gone)).every((found) => found === undefined));
      const inPartition = stored.filter((one) => one.q === q).map(plain);
      assert.deepEqual((await log.follow(q, 0, limit)).map(plain), inPartition);
      assert.deepEqual((await log.follow(q, inPartition.at(-3)?.pos ?? 0, 1)).map(plain), inPartition.slice(-2, -1));
      assert.equal((await log.last(q)).pos, inPartition.at(-1)?.pos ?? 0);
      for (const one of inPartition.slice(-5)) assert.deepEqual(plain(await log.at(q, one.pos)), one);
    },
  };
}

/** The same numbers for the same seed, below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

type Model = ReturnType<typeof createModel>;

async function doOne(log: SqliteMessageLog, model: Model, number: (limit: number) => number): Promise<void> {
  const name = convs[number(convs.length)] as string;
  const [first, last] = [model.of(name)[0]?.seq ?? 0, model.of(name).at(-1)?.seq ?? 0];
  const seq = first + number(Math.max(1, last - first));
  const kind = number(10);
  if (kind < 7 || last - first < 3) {
    const added = Array.from({ length: 1 + number(4) }, () => {
      const one = model.next(name);
      model.add(one);
      return one;
    });
    await append(log, added);
  } else if (kind === 7) {
    assert.equal(await log.blank(name, seq), true);
    model.change(name, seq, { body: new Uint8Array(0) });
  } else if (kind === 8) {
    await log.erase(name, [seq]);
    model.change(name, seq, { device: "", id: `erased-${seq}`, body: new Uint8Array(0) });
  } else {
    await log.retain(name, seq);
    model.removeBelow(name, seq);
  }
}

for (const seed of [1, 2, 3])
  test(`what is stored, changed and removed is found so while the index is written, and behind a kill -9 at any time (${seed})`, async (t) => {
    const [folder, number, model] = [await freshFolder(t), numbers(seed), createModel()];
    const { log } = await open(t, folder, hastyPace);
    for (let step = 0; step < 250; step++) {
      await doOne(log, model, number);
      if (step % 10 === 0) await model.compare(log);
      if (step % 25 !== 0) continue;
      // What a kill -9 leaves at this moment.
      const killed = await freshFolder(t);
      cpSync(folder, killed, { recursive: true });
      const again = await open(t, killed, hastyPace);
      await model.compare(again.log);
      const [check] = again.database.statement("PRAGMA integrity_check").all();
      assert.equal(check?.integrity_check, "ok");
    }
  });

// Of the writes of this turn the last: the disk fails.
async function failLast(database: Database): Promise<void> {
  for (let microtask = 0; microtask < 50; microtask++) await undefined;
  await database.write(1, () => {
    throw Object.assign(new Error("disk I/O error"), { errcode: 778 });
  });
}

test("what a group that is rolled back was about is as it was before, in the index as well", async (t) => {
  const [folder, model] = [await freshFolder(t), createModel()];
  const { database, log } = await open(t, folder, hastyPace);
  const number = numbers(9);
  for (let step = 0; step < 60; step++) await doOne(log, model, number);
  for (let round = 0; round < 10; round++) {
    // The latest are in memory.
    const last = model.of(conv).at(-1)?.seq ?? 0;
    const results = await Promise.allSettled([
      append(log, [model.next(conv)]),
      log.erase(conv, [last - 1, last]),
      log.retain(conv, last),
      append(log, [model.next("room/other")]),
      failLast(database),
    ]);
    assert.ok(results.every(({ status }) => status === "rejected"));
    await model.compare(log);
    await doOne(log, model, number);
    await model.compare(log);
    const killed = await freshFolder(t);
    cpSync(folder, killed, { recursive: true });
    await model.compare((await open(t, killed, hastyPace)).log);
  }
});

test("a message that is in the index, half in it or not in it yet is not stored again", async (t) => {
  const { log } = await open(t, await freshFolder(t), hastyPace);
  for (let seq = 1; seq <= 40; seq++) {
    await append(log, [entry(conv, seq, seq)]);
    for (let old = 1; old <= seq; old++)
      await assert.rejects(append(log, [entry(conv, seq + 1, seq + 1, { id: `id-${old}` })]), {
        code: "duplicate_key",
      });
  }
  assert.deepEqual(await log.last(q), { pos: 40 });
});

test("a commit writes pages of the log alone, in however many conversations its messages are", async (t) => {
  const { database, log } = await open(t, await freshFolder(t));
  const many = Array.from({ length: 200 }, (_, n) => `room/many${n}`).filter(
    (each, at, all) => all.findIndex((other) => partitionOf(other) === partitionOf(each)) === at,
  );
  await Promise.all(many.map((each) => append(log, [entry(each, 1, 1)])));
  await database.checkpoint();
  await Promise.all(many.map((each) => append(log, [entry(each, 2, 2)])));
  const [written] = database.statement("PRAGMA wal_checkpoint(PASSIVE)").all();
  assert.ok(many.length > 100 && Number(written?.log) < 12, `${written?.log} pages of ${many.length} messages`);
});

test("a start reads what the index does not have, and no more", async (t) => {
  const folder = await freshFolder(t);
  const { database, log } = await open(t, folder, hastyPace);
  for (let seq = 1; seq <= 100; seq++) await append(log, [entry(conv, seq, seq)]);
  database.close();
  const again = await Database.open({ path: join(folder, "log.db"), schema: logSchema, lockWaitMs: 0, cacheMiB: 1 });
  t.after(() => again.close());
  const held = (await LogIndex.open(again)).conversation(conv).flat();
  assert.ok(held.length < 3 * hastyPace.batchEntries, `${held.length} of 100`);
  assert.equal(held.at(-1)?.seq, 100);
});

test("a log of version 1 is taken over as it lies there, goes on, and may be vacuumed", async (t) => {
  const [folder, model] = [await freshFolder(t), createModel()];
  const path = join(folder, "log.db");
  const first = { ...logSchema, steps: logSchema.steps.slice(0, 1) };
  const old = await Database.open({ path, schema: first, lockWaitMs: 0, cacheMiB: 1 });
  await old.write(1, () => {
    const places = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?";
    const insert = old.statement(`INSERT INTO entries VALUES (${places})`);
    for (const one of [...entries(conv, 1, 500), ...entries("room/other", 1, 500)]) {
      model.add(one);
      insert.run(...toRow(one));
    }
    // Retention has left a hole among the rows.
    old.exec(`DELETE FROM entries WHERE conv = '${conv}' AND seq < 100`);
    model.removeBelow(conv, 100);
  });
  old.close();
  const { database, log } = await open(t, folder, hastyPace);
  await model.compare(log);
  await assert.rejects(append(log, [entry(conv, 501, 501, { id: "id-300" })]), { code: "duplicate_key" });
  const number = numbers(4);
  for (let step = 0; step < 40; step++) await doOne(log, model, number);
  await model.compare(log);
  assert.equal(database.statement("PRAGMA integrity_check").get()?.integrity_check, "ok");
  database.exec("VACUUM");
  await model.compare(log);
  database.close();
  const again = await open(t, folder);
  await model.compare(again.log);
});
