import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../limits.ts";
import { readReaction } from "./reaction.ts";

test("any emoji or short text is a reaction, one spelling of it; nothing else is", () => {
  assert.deepEqual(readReaction({ data: "👨‍👩‍👧" }), { text: "👨‍👩‍👧", remove: false });
  assert.deepEqual(readReaction({ data: " cafe\u0301 ", remove: true }), { text: "caf\u00e9", remove: true });
  const none = ["", " ", "a\nb", "x".repeat(limits.reactionCharacters + 1), "\ud83d", 1, null, undefined, ["👍"]];
  for (const data of none) assert.equal(readReaction({ data }), undefined, JSON.stringify(data));
  assert.equal(readReaction({ data: "👍", remove: "yes" }), undefined);
});
