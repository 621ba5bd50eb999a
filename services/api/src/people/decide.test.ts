import assert from "node:assert/strict";
import { test } from "node:test";
import { AppError } from "@parley/protocol";
import type { Side } from "../store.ts";
import { type Act, decide } from "./decide.ts";
import { isOver, pairOf, type Sides, sidesOf } from "./pairs.ts";

const relations = ["none", "contact", "requested", "pending"] as const;
const acts = "add update remove block unblock mute unmute request confirm refuse revoke".split(" ") as Act["act"][];

function sideOf(relation: Side["relation"], blocked = false): Side {
  return { relation, blocked, muted: false, nick: "", group: "", note: "", tags: [], changedAt: 1 };
}

const actOf = (act: Act["act"]) => ({ act, details: { group: "g" } }) as Act;

function* everyCase(): Generator<{ what: string; act: Act; before: Sides; after: Sides | AppError }> {
  for (const mine of relations)
    for (const theirs of relations)
      for (const isMineBlocked of [false, true])
        for (const isTheirsBlocked of [false, true])
          for (const act of acts) {
            const before = { mine: sideOf(mine, isMineBlocked), theirs: sideOf(theirs, isTheirsBlocked) };
            const what = `${act}: ${JSON.stringify(before)}`;
            yield { what, act: actOf(act), before, after: decide(before, actOf(act)) };
          }
}

test("nobody's act makes or ends the other's block or mute, or touches what the other notes", () => {
  for (const { what, before, after } of everyCase())
    if (!(after instanceof AppError)) {
      assert.equal(after.theirs.blocked, before.theirs.blocked, what);
      assert.equal(after.theirs.muted, before.theirs.muted, what);
      assert.equal(after.theirs.group, before.theirs.group, what);
    }
});

test("who is blocked gets nothing into the other's roster, whatever he does", () => {
  const isThere = new Set(["contact", "pending"]);
  for (const { what, before, after } of everyCase())
    if (!(after instanceof AppError) && before.theirs.blocked && !isThere.has(before.theirs.relation))
      assert.ok(!isThere.has(after.theirs.relation), what);
});

test("a block leaves the other's side as it was, but for a request of the one who blocks", () => {
  for (const { what, act, before, after } of everyCase())
    if (act.act === "block" && !(after instanceof AppError) && before.mine.relation !== "requested")
      assert.equal(after.theirs, before.theirs, what);
});

test("the other becomes a contact only by what both did", () => {
  for (const { what, act, before, after } of everyCase()) {
    if (after instanceof AppError || before.theirs.relation === "contact") continue;
    const { theirs, mine } = before;
    const hasAsked = theirs.relation === "requested" && !theirs.blocked && mine.relation === "pending";
    assert.equal(
      after.theirs.relation === "contact",
      hasAsked && ["add", "request", "confirm"].includes(act.act),
      what,
    );
  }
});

test("what is kept of a pair is read alike from both sides, and over only when both are", () => {
  for (const relation of relations) {
    const sides = { mine: sideOf(relation), theirs: sideOf("none", true) };
    const pair = pairOf("bob", "alice", sides);
    assert.deepEqual([pair.a, pair.b, pair.overSince], ["alice", "bob", undefined]);
    assert.deepEqual(sidesOf(pair, "bob"), sides);
    assert.deepEqual(sidesOf(pair, "alice"), { mine: sides.theirs, theirs: sides.mine });
  }
  assert.equal(pairOf("bob", "alice", { mine: sideOf("none"), theirs: sideOf("none") }).overSince, 1);
  assert.equal(isOver(sideOf("none")), true);
  assert.equal(isOver(sideOf("none", true)), false);
});
