// A full disk refuses writes with `full`, keeps what was confirmed, and is forgotten once there is space.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { append, entry, partitionOf } from "../conformance/entries.ts";
import type { MessageLog } from "../log.ts";
import { openStore } from "../open-store.ts";
import { StoreError } from "../store-error.ts";
import { Database } from "./database.ts";
import { logSchema } from "./entry-rows.ts";
import { SqliteMessageLog } from "./message-log.ts";
import { freshFolder } from "./open-engine.ts";

const conv = "room/r1";
const q = partitionOf(conv);
const large = (seq: number) => entry(conv, seq, seq, { body: randomBytes(20_000) });
const isFull = (error: unknown) => error instanceof StoreError && error.code === "full";

async function appendUntilFull(log: MessageLog): Promise<number> {
  for (let seq = (await log.last(q)).pos + 1; ; seq += 5) {
    try {
      await append(
        log,
        [0, 1, 2, 3, 4].map((at) => large(seq + at)),
      );
    } catch (error) {
      assert.ok(isFull(error), String(error));
      assert.deepEqual(await log.last(q), { pos: seq - 1 });
      return seq - 1;
    }
  }
}

test("a database at its size limit refuses the whole group with full, then works again", async (t) => {
  const path = join(await freshFolder(t), "log.db");
  const database = await Database.open({ path, schema: logSchema, lockWaitMs: 0, cacheMiB: 1 });
  t.after(() => database.close());
  const log = await SqliteMessageLog.open(database);
  database.exec("PRAGMA max_page_count = 100");
  const stored = await appendUntilFull(log);
  const others = await Promise.allSettled([
    append(log, [entry("room/other", 1, 1)]),
    append(
      log,
      [0, 1, 2, 3, 4].map((at) => large(stored + 1 + at)),
    ),
  ]);
  assert.ok(others.every((result) => result.status === "rejected" && isFull(result.reason)));
  database.exec("PRAGMA max_page_count = 100000");
  await append(log, [large(stored + 1)]);
  assert.deepEqual(
    (await log.follow(q, 0, 1_000)).map(({ pos }) => pos),
    Array.from({ length: stored + 1 }, (_, at) => at + 1),
  );
});

test("a disk that fills up loses nothing confirmed, and the log goes on once there is space", async (t) => {
  const disk = await smallDisk(t);
  if (disk === undefined) return t.skip("a small disk can be mounted only as root on Linux");
  const store = await openStore(`sqlite:${disk}`, { service: "history", lockWaitMs: 0 });
  t.after(() => store.close());
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, randomBytes(2_000_000));
  const stored = await appendUntilFull(store.log());
  await assert.rejects(append(store.log(), [large(stored + 1)]), isFull);
  await assert.rejects(store.check(), isFull);
  rmSync(ballast);
  await store.check();
  await append(store.log(), [large(stored + 1)]);
  assert.equal((await store.log().follow(q, 0, 10_000)).length, stored + 1);
});

// 4 MB that nothing else uses.
async function smallDisk(t: TestContext): Promise<string | undefined> {
  const mounted: string[] = [];
  t.after(() => {
    for (const folder of mounted) execFileSync("umount", ["--lazy", folder]);
  });
  const folder = await freshFolder(t);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  mounted.push(folder);
  return folder;
}
