import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const opens = `
  import { createRequire } from "node:module";
  import { openBlobs, openStore } from ${JSON.stringify(join(import.meta.dirname, "index.ts"))};
  const [storeUrl] = process.argv.slice(1);
  const [store, blobs] = [await openStore(storeUrl, { service: "api" }), await openBlobs({ service: "api", storeUrl })];
  await Promise.all([store.close(), blobs.close()]);
  const loaded = Object.keys(createRequire("/").cache).map((file) => /node_modules.(mongodb|@aws-sdk)\\b/.exec(file)?.[1]);
  console.log(JSON.stringify([...new Set(loaded)].filter(Boolean)));
`;

test("a process with its store in SQLite and its files in a folder starts without the clients of MongoDB and S3", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "parley-engines-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const args = ["--input-type=module-typescript", "-e", opens, `sqlite:${folder}`];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(stdout, "[]\n", stderr);
});
