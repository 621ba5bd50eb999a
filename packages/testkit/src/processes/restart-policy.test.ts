import assert from "node:assert/strict";
import { test } from "node:test";
import { restartPolicy } from "./restart-policy.ts";

const death = (endedAt: number, more = {}) => ({ startedAt: endedAt - 10, endedAt, wasReady: false, code: 1, ...more });

test("a process that keeps dying is started again after 100 ms, doubling to 5 s", () => {
  const policy = restartPolicy();
  const waits = Array.from({ length: 8 }, (_, n) => policy.after(death(n * 30_000)).waitMs);
  assert.deepEqual(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
});

test("a life of 10 s begins the waits anew", () => {
  const policy = restartPolicy();
  for (let n = 0; n < 5; n += 1) policy.after(death(n));
  assert.equal(policy.after({ startedAt: 0, endedAt: 10_000, wasReady: true, code: null }).waitMs, 100);
});

test("the fifth death within 20 s without ever being ready is hopeless, one that was ready between is not", () => {
  const policy = restartPolicy();
  for (const at of [0, 1_000, 2_000, 3_000]) assert.equal(policy.after(death(at)).hopeless, false);
  assert.equal(policy.after(death(4_000)).hopeless, true);

  const other = restartPolicy();
  for (const at of [0, 1_000, 2_000, 3_000]) other.after(death(at));
  assert.equal(other.after(death(3_500, { wasReady: true })).hopeless, false);
  assert.equal(other.after(death(4_000)).hopeless, false);

  const slow = restartPolicy();
  for (const at of [0, 6_000, 12_000, 18_000, 24_000]) assert.equal(slow.after(death(at)).hopeless, false);
});

test("a wrong setting is hopeless at once", () => {
  assert.equal(restartPolicy().after(death(0, { code: 78 })).hopeless, true);
});
