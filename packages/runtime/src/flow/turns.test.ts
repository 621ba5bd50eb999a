import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "@parley/testkit";
import { openTurns, type Turns } from "./turns.ts";

/** Waits for a turn, and notes its name when it comes or when it is told that it never will. */
function queueUp(turns: Turns, got: string[], name: string, options: Parameters<Turns["take"]>[0] = {}) {
  const taken = turns.take(options);
  void taken.then((done) => got.push(done ? name : `no ${name}`));
  return taken;
}

test("no more than so many are under way; the others follow in order, those of a lower rank first", async () => {
  const turns = openTurns({ atOnce: 1 });
  const got: string[] = [];
  const first = await turns.take();
  const second = queueUp(turns, got, "late", { rank: 2 });
  const third = queueUp(turns, got, "next", { rank: 1 });
  const fourth = queueUp(turns, got, "soon", { rank: 0 });
  assert.equal(turns.waiting(), 3);
  first?.();
  first?.();
  (await fourth)?.();
  (await third)?.();
  (await second)?.();
  assert.deepEqual(got, ["soon", "next", "late"]);
});

test("beyond so many that wait, the next is told at once", async () => {
  const turns = openTurns({ atOnce: 1, waitingMax: 1 });
  const done = await turns.take();
  const waiting = turns.take();
  assert.equal(await turns.take(), undefined);
  done?.();
  assert.notEqual(await waiting, undefined);
});

test("who waits for too long, or is not wanted any more, is told so and costs nobody a turn", async () => {
  const turns = openTurns({ atOnce: 1, waitMs: 10 });
  const got: string[] = [];
  const done = await turns.take();
  let wanted = true;
  void queueUp(turns, got, "slow");
  await eventually(() => got.join() === "no slow");
  void queueUp(turns, got, "gone", { isWanted: () => wanted });
  void queueUp(turns, got, "next");
  wanted = false;
  done?.();
  await eventually(() => got.length === 3);
  assert.deepEqual(got.slice(1).sort(), ["next", "no gone"]);
});

test("keys take turns, however many wait of one", async () => {
  const turns = openTurns({ atOnce: 1 });
  const got: string[] = [];
  const first = await turns.take();
  const waiting = [
    ...["a1", "a2", "a3"].map((name) => queueUp(turns, got, name, { key: "a" })),
    ...["b1", "b2"].map((name) => queueUp(turns, got, name, { key: "b" })),
  ];
  first?.();
  for (const one of waiting) void one.then((done) => done?.());
  await Promise.all(waiting);
  assert.deepEqual(got, ["a1", "b1", "a2", "b2", "a3"]);
});

test("one key holds its share of the places, and the others go past it", async () => {
  const turns = openTurns({ atOnce: 3, atOnceEach: 2 });
  const got: string[] = [];
  const held = [await turns.take({ key: "a" }), await turns.take({ key: "a" })];
  const third = queueUp(turns, got, "a3", { key: "a" });
  const other = await turns.take({ key: "b" });
  assert.notEqual(other, undefined);
  const next = queueUp(turns, got, "c1", { key: "c" });
  other?.();
  (await next)?.();
  assert.deepEqual(got, ["c1"]);
  held[0]?.();
  await third;
  assert.deepEqual(got, ["c1", "a3"]);
});

test("in a full queue a newcomer takes the place of the newest of the key that waits most", async () => {
  const turns = openTurns({ atOnce: 1, waitingMax: 3 });
  const got: string[] = [];
  const first = await turns.take();
  const waiting = ["a1", "a2", "a3"].map((name) => queueUp(turns, got, name, { key: "a" }));
  await queueUp(turns, got, "a4", { key: "a" });
  waiting.push(queueUp(turns, got, "b1", { key: "b" }));
  await waiting[2];
  assert.deepEqual(got, ["no a4", "no a3"]);
  assert.equal(turns.waiting(), 3);
  await queueUp(turns, got, "b2", { key: "b" });
  first?.();
  for (const one of waiting) void one.then((done) => done?.());
  await Promise.all(waiting);
  assert.deepEqual(got.slice(2), ["no b2", "a1", "b1", "a2"]);
});
