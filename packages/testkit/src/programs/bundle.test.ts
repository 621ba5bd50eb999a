import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundlePrograms } from "./bundle.ts";
import { bundlesFolder, isStartedWith, programOf, programs, root } from "./programs.ts";

test("every program has a bundle, which is made once of the same sources; without one it starts from its source", async (t) => {
  const before = process.env.PARLEY_BUNDLES;
  t.after(() => {
    if (before === undefined) delete process.env.PARLEY_BUNDLES;
    else process.env.PARLEY_BUNDLES = before;
  });
  delete process.env.PARLEY_BUNDLES;
  assert.equal(programOf("services/api/src/main.ts"), join(root, "services/api/src/main.ts"));
  assert.equal(await bundlePrograms(), undefined);
  const folder = process.env.PARLEY_BUNDLES ?? "";
  assert.ok(folder.startsWith(bundlesFolder) && existsSync(folder));
  const files = programs.map(programOf);
  assert.ok(files.every((file) => file.startsWith(folder) && existsSync(file)));
  delete process.env.PARLEY_BUNDLES;
  assert.equal(await bundlePrograms(), undefined);
  assert.equal(process.env.PARLEY_BUNDLES, folder);
  process.env.PARLEY_BUNDLES = join(bundlesFolder, "gone");
  assert.equal(programOf("services/api/src/main.ts"), join(root, "services/api/src/main.ts"));
});

test("a program says from its bundle what it says from its source", async () => {
  assert.equal(await bundlePrograms(), undefined);
  const said = [programOf("packages/cli/src/main.ts"), join(root, "packages/cli/src/main.ts")].map((file) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, "send", "--help"], { encoding: "utf8" });
    return { status, stdout, stderr };
  });
  assert.equal(said[0]?.status, 0);
  assert.deepEqual(said[0], said[1]);
});

test("a program that only listens for HTTP starts without Node's client for it", async () => {
  assert.equal(await bundlePrograms(), undefined);
  const says =
    "process.on('exit', () => console.log(process.moduleLoadList.filter((name) => name.includes('undici'))))";
  const args = ["--import", `data:text/javascript,${says}`, programOf("services/router/src/main.ts"), "--help"];
  const { stdout } = spawnSync(process.execPath, args, { encoding: "utf8" });
  assert.equal(stdout.split("\n").at(-2), "[]");
});

test("whose a process is can be told of its source, of its bundle and of bundles before", () => {
  const api = "services/api/src/main.ts";
  for (const file of [join(root, api), join(bundlesFolder, "0123/services/api/src/main.js")])
    assert.ok(isStartedWith(api, `node --max-old-space-size=1 ${file}`), file);
  for (const file of [join(root, "services/edge/src/main.ts"), "/elsewhere/services/api/src/main.js"])
    assert.ok(!isStartedWith(api, `node ${file}`), file);
});
