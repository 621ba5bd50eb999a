// A store of an older version is brought forward, whole or not at all.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Database } from "./database.ts";
import { freshFolder } from "./open-engine.ts";

async function openVersion(t: TestContext, path: string, steps: string[]): Promise<Database> {
  const database = await Database.open({ path, schema: { kind: "log", steps }, lockWaitMs: 0, cacheMiB: 1 });
  t.after(() => database.close());
  return database;
}

test("only the steps that are missing run, and what was stored stays", async (t) => {
  const path = join(await freshFolder(t), "log.db");
  const first = await openVersion(t, path, ["CREATE TABLE one (x)"]);
  await first.write(1, () => first.exec("INSERT INTO one VALUES (1)"));
  first.close();
  const steps = ["CREATE TABLE one (x)", "ALTER TABLE one ADD COLUMN y", "UPDATE one SET y = x + 1"];
  const second = await openVersion(t, path, steps);
  assert.deepEqual({ ...second.statement("SELECT x, y FROM one").get() }, { x: 1, y: 2 });
  second.close();
  const third = await openVersion(t, path, steps);
  assert.deepEqual({ ...third.statement("SELECT x, y FROM one").get() }, { x: 1, y: 2 });
});

test("a step that fails leaves the version that was there", async (t) => {
  const path = join(await freshFolder(t), "log.db");
  (await openVersion(t, path, ["CREATE TABLE one (x)"])).close();
  await assert.rejects(openVersion(t, path, ["", "CREATE TABLE two (x)", "no SQL"]));
  const again = await openVersion(t, path, ["CREATE TABLE one (x)"]);
  assert.equal(again.statement("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'two'").get()?.n, 0);
});
