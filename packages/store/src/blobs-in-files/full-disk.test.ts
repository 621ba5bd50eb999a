// A full disk refuses a blob with `full`, leaves nothing of it, and is forgotten once there is space.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { mountSmallDisk, type SmallDisk } from "@parley/testkit";
import { openBlobs } from "../open-blobs.ts";
import { freshFolder } from "../sqlite/open-engine.ts";
import { StoreError } from "../store-error.ts";

const isFull = (error: unknown) => error instanceof StoreError && error.code === "full";

async function* bytes(size: number) {
  for (let at = 0; at < size; at += 65_536) yield randomBytes(65_536);
}

test("a blob that does not fit is refused with full, what was stored stays, and smaller ones go on", async (t) => {
  let disk: SmallDisk | undefined;
  t.after(() => disk?.unmount());
  const folder = join(await freshFolder(t), "disk");
  disk = mountSmallDisk(folder, 4);
  if (!disk) return t.skip("a small disk can be mounted only as root on Linux");
  const blobs = await openBlobs({ service: "api", url: `files:${folder}`, storeUrl: "sqlite:unused" });
  const kept = await blobs.put(bytes(1_000_000));
  await assert.rejects(blobs.put(bytes(8_000_000)), isFull);
  assert.deepEqual(readdirSync(join(folder, "partial")), []);
  await blobs.put(bytes(1_000_000));
  disk.fill();
  await assert.rejects(blobs.put(bytes(65_536)), isFull);
  await assert.rejects(blobs.check(), isFull);
  disk.empty();
  await blobs.check();
  await blobs.put(bytes(65_536));
  assert.equal(
    (await (await blobs.open(kept.id))?.toArray())?.reduce((sum, one) => sum + one.length, 0),
    kept.size,
  );
});
