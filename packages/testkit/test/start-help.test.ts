// start.mjs as somebody meets it who asks for help first.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../src/programs/programs.ts";

for (const args of [
  ["start", "--help"],
  ["start", "--", "--help"],
  ["test", "edge", "-h"],
  ["check", "--help"],
  ["check:deploy", "--help"],
])
  test(`start.mjs ${args.join(" ")} prints the help, and neither installs nor runs anything`, (t) => {
    // Alone in a folder, it could only begin by installing.
    const folder = mkdtempSync(join(tmpdir(), "parley-help-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    copyFileSync(join(root, "start.mjs"), join(folder, "start.mjs"));
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, "start.mjs"), ...args], {
      encoding: "utf8",
      env: { PATH: "" },
    });
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^node start\.mjs COMMAND \[arguments\]/);
    assert.deepEqual(readdirSync(folder), ["start.mjs"]);
  });
