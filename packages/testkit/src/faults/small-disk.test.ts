import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { mountSmallDisk } from "./small-disk.ts";

test("a full small disk takes nothing more, keeps what it has, and takes more once there is space", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "parley-disk-"));
  const disk = mountSmallDisk(folder, 4);
  t.after(() => {
    disk?.unmount();
    rmSync(folder, { recursive: true, force: true });
  });
  if (!disk) return t.skip("A SMALL DISK CAN BE MOUNTED ONLY AS ROOT ON LINUX");
  const file = join(folder, "file");
  const piece = Buffer.alloc(100_000, 1);
  appendFileSync(file, piece);
  disk.fill();
  assert.throws(() => appendFileSync(file, piece), { code: "ENOSPC" });
  assert.ok(readFileSync(file).length >= piece.length);
  disk.empty();
  appendFileSync(file, piece);
});
