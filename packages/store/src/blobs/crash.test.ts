// What a process that dies in the middle of a `put` leaves is removed by a sweep, on every engine.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { hasMongo, hasS3, startS3, testMongo } from "@parley/testkit";
import { MongoClient } from "mongodb";
import { openBlobs } from "../open-blobs.ts";
import { freshFolder } from "../sqlite/open-engine.ts";

const program = fileURLToPath(new URL("putting-process.ts", import.meta.url));
/** Two parts of an S3 upload are through by then. */
const announceAt = 20 * 1024 * 1024;

/** `bytesKept`: what the engine's own place holds. */
type Place = { url: string; bytesKept(): Promise<number> };

async function killedPutIsSwept(t: TestContext, { url, bytesKept }: Place): Promise<void> {
  const child = spawn(process.execPath, [program, url, String(announceAt)], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const closed = once(child, "close");
  await Promise.race([
    once(child.stdout, "data"),
    closed.then(() => assert.fail("it ended before it had sent enough")),
  ]);
  child.kill("SIGKILL");
  await closed;
  assert.ok((await bytesKept()) > 5_000_000, "something of it is stored");
  const blobs = await openBlobs({ service: "api", url, storeUrl: "sqlite:unused" });
  t.after(() => blobs.close());
  const seen: string[] = [];
  const inUse = async (ids: readonly string[]) => new Set(seen.splice(0, 0, ...ids));
  assert.deepEqual(await blobs.sweep({ before: Date.now() - 600_000, inUse }), { blobs: 0, partial: 0 });
  assert.ok((await bytesKept()) > 5_000_000, "what may be under way stays");
  assert.deepEqual(await blobs.sweep({ before: Date.now() + 600_000, inUse }), { blobs: 0, partial: 1 });
  assert.deepEqual(seen, [], "it was never to be had");
  assert.equal(await bytesKept(), 0);
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

test("files: a put that kill -9 cut short leaves nothing behind a sweep", async (t) => {
  const folder = await freshFolder(t);
  await killedPutIsSwept(t, { url: `files:${folder}`, bytesKept: async () => bytesIn(folder) });
});

test("GridFS: a put that kill -9 cut short leaves nothing behind a sweep", { skip: !hasMongo() }, async (t) => {
  const { url } = (await testMongo(t)) as { url: string };
  const client = new MongoClient(url);
  t.after(() => client.close());
  const chunks = client.db().collection("api.blobs.chunks");
  await killedPutIsSwept(t, { url, bytesKept: async () => (await chunks.countDocuments()) * 255 * 1024 });
});

test("S3: a put that kill -9 cut short leaves nothing behind a sweep", { skip: !hasS3() }, async (t) => {
  const { url, folder } = await startS3(t);
  await killedPutIsSwept(t, { url, bytesKept: async () => bytesIn(folder) });
});
