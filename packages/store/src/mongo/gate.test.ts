// A slow server gathers no endless queue.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "../store-error.ts";
import { Gate } from "./gate.ts";

const unavailable = (error: unknown) => error instanceof StoreError && error.code === "unavailable";

test("so many run at once, the others in their order as places come free", async () => {
  const gate = new Gate(2);
  const begun: number[] = [];
  const ends: (() => void)[] = [];
  const works = [0, 1, 2, 3].map((n) =>
    gate.pass(() => {
      begun.push(n);
      return new Promise<number>((resolve) => ends.push(() => resolve(n)));
    }),
  );
  assert.deepEqual(begun, [0, 1]);
  ends[1]?.();
  assert.equal(await works[1], 1);
  assert.deepEqual(begun, [0, 1, 2]);
  ends[0]?.();
  ends[2]?.();
  await works[2];
  ends[3]?.();
  assert.deepEqual(await Promise.all(works), [0, 1, 2, 3]);
});

test("what does not fit the queue is refused at once, and a failure gives its place back", async () => {
  const gate = new Gate(1);
  let end = () => {};
  const first = gate.pass(() => new Promise<void>((_, reject) => (end = () => reject(new Error("mine")))));
  const waiting = Array.from({ length: 2_000 }, (_, n) => gate.pass(async () => n));
  await assert.rejects(
    gate.pass(async () => {}),
    unavailable,
  );
  end();
  await assert.rejects(first, /mine/);
  assert.equal((await Promise.all(waiting)).length, 2_000);
});

test("who has waited five seconds is refused, not begun", async (t) => {
  let now = 0;
  t.mock.method(performance, "now", () => now);
  const gate = new Gate(1);
  let end = () => {};
  const first = gate.pass(() => new Promise<void>((resolve) => (end = resolve)));
  const old = gate.pass(async () => assert.fail("begun"));
  now = 4_000;
  const young = gate.pass(async () => "young");
  now = 6_000;
  end();
  await first;
  await assert.rejects(old, unavailable);
  assert.equal(await young, "young");
});
