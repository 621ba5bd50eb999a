import assert from "node:assert/strict";
import { test } from "node:test";
import { createPass } from "./checkpoints.ts";

test("the process dies at the named point, the n-th time it is passed, and nowhere else", () => {
  let deaths = 0;
  const pass = createPass("before-reply:2", () => {
    deaths += 1;
  });
  pass("before-commit");
  pass("before-reply");
  assert.equal(deaths, 0);
  pass("before-reply");
  assert.equal(deaths, 1);
});

test("without the setting no point ends anything", () => {
  createPass(undefined, () => assert.fail("died"))("before-reply");
});
