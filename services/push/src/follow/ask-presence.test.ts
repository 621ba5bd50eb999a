import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import { askInParts } from "./ask-presence.ts";

/** Presence that answers `most` users at most, as their devices make an answer that is too large. */
function presenceOf(most: number, code: "too_large" | "unavailable" = "too_large") {
  const asked: number[] = [];
  const ask = async (uids: readonly string[]) => {
    asked.push(uids.length);
    if (uids.length > most) throw new AppError(code, "no");
    return Object.fromEntries(uids.map((uid) => [uid, { devices: [{ clientId: `${uid}:pc`, active: true }] }]));
  };
  return { asked, ask };
}

test("of users with so many devices that the answer is too large fewer are asked at once", async () => {
  const uids = Array.from({ length: 700 }, (_, index) => `u${index}`);
  const { asked, ask } = presenceOf(130);
  assert.deepEqual(Object.keys(await askInParts(uids, ask)).sort(), [...uids].sort());
  assert.deepEqual(asked.slice(0, 2), [500, 200]);
});

test("a user whose devices alone are too many is told as one who is not there, and what may pass is not asked again", async () => {
  assert.deepEqual(await askInParts(["a", "b"], presenceOf(0).ask), {});
  const { asked, ask } = presenceOf(0, "unavailable");
  await assert.rejects(askInParts(["a", "b"], ask), { code: "unavailable" });
  assert.deepEqual(asked, [2]);
});
