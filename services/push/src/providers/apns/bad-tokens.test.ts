import assert from "node:assert/strict";
import { test } from "node:test";
import { openBadTokens } from "./bad-tokens.ts";

test("many tokens of an app that are refused are suspicious, a few are not", () => {
  const tokens = openBadTokens();
  for (let index = 0; index < 8; index++) tokens.count("app", `good${index}`, false);
  assert.equal(tokens.count("app", "bad1", true).isSuspicious, false);
  assert.equal(tokens.count("app", "bad2", true).isSuspicious, false);
  assert.deepEqual(tokens.count("app", "bad3", true), { bad: 3, of: 11, isSuspicious: true });
});

test("made-up tokens that are tried with every message make an app suspicious once: then they are refused one by one", () => {
  const tokens = openBadTokens();
  const madeUp = Array.from({ length: 100 }, (_, index) => `made-up${index}`);
  const isKept = (message: number) => {
    for (let index = 0; index < 50; index++) tokens.count("app", `good${message}-${index}`, false);
    return madeUp.filter((token) => tokens.count("app", token, true).isSuspicious).length;
  };
  assert.ok(isKept(1) > 50);
  isKept(2);
  assert.equal(isKept(3), 0);
});
