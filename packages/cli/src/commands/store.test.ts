import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openStore } from "@parley/store";

const program = fileURLToPath(new URL("../main.ts", import.meta.url));

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, "store", "copy", ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("store copy ends with 0 and its result, with 1 when it is refused, with 2 for what is no store, in one line", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-cli-"));
  t.after(() => rm(folder, { recursive: true }));
  const [from, to] = [`sqlite:${join(folder, "from")}`, `sqlite:${join(folder, "to")}`];
  const store = await openStore(from, { service: "api" });
  await (await store.documents().collection({ name: "users" })).put([{ key: "alice", doc: {} }]);
  await store.close();
  const done = run(from, to, "--json");
  assert.deepEqual([done.status, done.stderr], [0, ""]);
  assert.deepEqual(JSON.parse(done.stdout), {
    services: ["api"],
    entries: 0,
    documents: 1,
    files: 0,
    bytes: 0,
    resumed: false,
    differences: [],
  });
  const again = run(from, to);
  assert.deepEqual([again.status, again.stdout], [1, ""]);
  assert.match(again.stderr, /^parley: TO: it holds a finished copy of FROM[^\n]+\n$/);
  const wrongs = [
    run(from, "mysql://u:secret@h/d"),
    run(from, from),
    run(`${from}-nothing`, to),
    run(from, `${to}2`, "--blobs-from", "ftp://u:secret@h/d"),
    run(from, `${to}2`, "--no-blobs", "--blobs-to", "files:x"),
  ];
  for (const wrong of wrongs) {
    assert.deepEqual([wrong.status, wrong.stdout], [2, ""]);
    assert.match(wrong.stderr, /^parley: (?!.*secret)[^\n]+\n$/);
  }
});
