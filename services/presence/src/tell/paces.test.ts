import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import { openPaces } from "./paces.ts";

test("what is wanted again and again is done at once, then once for all that was wanted meanwhile, and again where it failed", async (t) => {
  const paces = openPaces({ everyMs: 10, keysMax: 2 });
  t.after(() => paces.close());
  const done: string[] = [];
  const work = (name: string) => async () => done.push(name) > 2;
  for (const name of ["one", "two", "three"]) paces.run("phone", work(name));
  assert.deepEqual(done, ["one"]);
  await eventually(() => done.length === 3);
  assert.deepEqual(done, ["one", "three", "three"]);
  paces.run("web", work("web"));
  paces.run("tablet", work("tablet"));
  paces.run("beyond the bound", work("dropped"));
  assert.ok(!done.includes("dropped"));
});
