// Group commit: one transaction a turn, in order; a refusal is its own, a failure is everybody's.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Database } from "./database.ts";
import { freshFolder } from "./open-engine.ts";

async function openCounted(t: TestContext) {
  const path = join(await freshFolder(t), "log.db");
  const schema = { kind: "log" as const, steps: ["CREATE TABLE n (x INTEGER PRIMARY KEY)"] };
  const database = await Database.open({ path, schema, lockWaitMs: 0, cacheMiB: 1 });
  t.after(() => database.close());
  const insert = (x: number) => database.statement("INSERT INTO n VALUES (?)").run(x);
  const stored = () =>
    database
      .statement("SELECT x FROM n ORDER BY x")
      .all()
      .map(({ x }) => x);
  return { database, insert, stored };
}

test("what is written in one turn is committed together, and nothing shows before", async (t) => {
  const { database, insert, stored } = await openCounted(t);
  const seen: unknown[] = [];
  const writes = [1, 2, 3].map((x) =>
    database.write(1, () => {
      insert(x);
      seen.push(x);
      return x * 10;
    }),
  );
  await Promise.resolve();
  assert.deepEqual([seen, stored()], [[], []]);
  assert.equal(await writes[0], 10);
  assert.deepEqual(
    [seen, stored()],
    [
      [1, 2, 3],
      [1, 2, 3],
    ],
  );
  assert.deepEqual(await Promise.all(writes), [10, 20, 30]);
});

test("a write that throws fails alone", async (t) => {
  const { database, insert, stored } = await openCounted(t);
  const results = await Promise.allSettled([
    database.write(1, () => insert(1)),
    database.write(1, () => insert(1)),
    database.write(1, () => {
      throw new RangeError("its own");
    }),
    database.write(1, () => insert(2)),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "rejected", "fulfilled"],
  );
  assert.deepEqual(stored(), [1, 2]);
});

test("when the transaction is lost every write of the group is rejected, and the next group goes on", async (t) => {
  const { database, insert, stored } = await openCounted(t);
  const results = await Promise.allSettled([
    database.write(1, () => insert(1)),
    database.write(1, () => {
      database.exec("ROLLBACK");
      throw new Error("the transaction is gone");
    }),
    database.write(1, () => insert(2)),
  ]);
  assert.ok(results.every(({ status }) => status === "rejected"));
  assert.deepEqual(stored(), []);
  await database.write(1, () => insert(3));
  assert.deepEqual(stored(), [3]);
});

test("a failure of the disk takes the whole group back, and says unavailable", async (t) => {
  const { database, insert, stored } = await openCounted(t);
  const results = await Promise.allSettled([
    database.write(1, () => insert(1)),
    // As node:sqlite reports SQLITE_IOERR_WRITE, which leaves the transaction open.
    database.write(1, () => {
      throw Object.assign(new Error("disk I/O error"), { errcode: 778 });
    }),
    database.write(1, () => insert(2)),
  ]);
  for (const result of results) {
    assert.ok(result.status === "rejected");
    assert.equal(result.reason.code, "unavailable");
  }
  assert.deepEqual(stored(), []);
  await database.write(1, () => insert(3));
  assert.deepEqual(stored(), [3]);
});

test("large groups are cut, in order, and all of them are stored", async (t) => {
  const { database, insert, stored } = await openCounted(t);
  const writes = Array.from({ length: 5 }, (_, x) => database.write(1_500, () => insert(x)));
  await writes[1];
  assert.deepEqual(stored(), [0, 1]);
  await Promise.all(writes);
  assert.deepEqual(stored(), [0, 1, 2, 3, 4]);
});
