import assert from "node:assert/strict";
import { test } from "node:test";
import { secretCheck } from "./secret-check.ts";

test("only the secret itself passes", () => {
  const passes = secretCheck("correct horse ☃");
  assert.equal(passes("correct horse ☃"), true);
  for (const given of ["", "correct horse", "correct horse ☃ ", "Correct horse ☃", "x".repeat(100_000)])
    assert.equal(passes(given), false, given.slice(0, 20));
  assert.equal(secretCheck("")("x"), false);
});
