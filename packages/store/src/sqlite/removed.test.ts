// What is taken out of the log leaves its files: the database at once, the write-ahead log within a bound.
import assert from "node:assert/strict";
import { cp, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import { append, entry } from "../conformance/entries.ts";
import { Database } from "./database.ts";
import { logSchema } from "./entry-rows.ts";
import { SqliteMessageLog } from "./message-log.ts";
import { freshFolder } from "./open-engine.ts";

const secret = Buffer.from("canary-1795240386143");
const open = (folder: string) =>
  Database.open({ path: join(folder, "log.db"), schema: logSchema, lockWaitMs: 0, cacheMiB: 1, removedKeptMs: 2_000 });

async function filesWith(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).sort();
  const contents = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return names.filter((_, at) => contents[at]?.includes(secret));
}

const removals: Record<string, (log: SqliteMessageLog) => Promise<unknown>> = {
  blank: (log) => log.blank("room/r1", 1),
  erase: (log) => log.erase("room/r1", [1]),
  retain: (log) => log.retain("room/r1", 2),
};

for (const [name, remove] of Object.entries(removals))
  test(`what ${name} takes out is in no file a moment later, also where the process was killed right behind it`, async (t) => {
    const [folder, killed] = [await freshFolder(t), await freshFolder(t)];
    const database = await open(folder);
    t.after(() => database.close());
    const log = await SqliteMessageLog.open(database);
    // What was there at the start has been emptied.
    await eventually(async () => (await stat(join(folder, "log.db-wal"))).size === 0);
    await append(log, [entry("room/r1", 1, 1, { body: secret }), entry("room/r1", 2, 2)]);
    assert.deepEqual(await filesWith(folder), ["log.db-wal"]);
    await remove(log);
    assert.deepEqual(await filesWith(folder), ["log.db-wal"]);
    await cp(folder, killed, { recursive: true });
    await eventually(async () => (await filesWith(folder)).length === 0);
    assert.equal((await log.heads(["room/r1"])).get("room/r1")?.seq, 2);
    const next = await open(killed);
    t.after(() => next.close());
    await eventually(async () => (await filesWith(killed)).length === 0);
    assert.equal((await (await SqliteMessageLog.open(next)).heads(["room/r1"])).get("room/r1")?.seq, 2);
  });
