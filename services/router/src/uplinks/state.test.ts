import assert from "node:assert/strict";
import { test } from "node:test";
import { createStamp } from "./state.ts";

test("each word that a router takes has a later time than the one before, also within a millisecond", () => {
  const stamp = createStamp("router-1");
  const begun = Date.now();
  const stamps = Array.from({ length: 1000 }, stamp);
  assert.ok(stamps.every(({ at }, place) => Number.isInteger(at) && at > (stamps[place - 1]?.at ?? begun - 1)));
  assert.ok(stamps.every(({ by }) => by === "router-1"));
});
