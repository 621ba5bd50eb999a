import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

// Everything that a browser loads with the SDK, dependencies from the registry left out.
function loaded(url: URL, seen = new Map<string, string[]>()): Map<string, string[]> {
  if (seen.has(url.href)) return seen;
  const text = readFileSync(url, "utf8");
  const names = [...text.matchAll(/^(?:import|export)(?! type)[^;]*?from "([^"]+)";/gm)].map(([, name = ""]) => name);
  seen.set(url.href, names);
  for (const name of names) {
    if (name.startsWith(".")) loaded(new URL(name, url), seen);
    if (name === "@parley/protocol") loaded(new URL("../../protocol/src/index.ts", import.meta.url), seen);
  }
  return seen;
}

test("the browser's entry imports nothing of Node's", () => {
  const files = loaded(new URL("./index.ts", import.meta.url));
  assert.ok(files.size > 30, `${files.size} files`);
  for (const [file, names] of files)
    for (const name of names)
      assert.ok(!name.startsWith("node:") && !name.endsWith("/node"), `${file} imports ${name}`);
});
