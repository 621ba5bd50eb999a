import assert from "node:assert/strict";
import { test } from "node:test";
import { openBreaker } from "./breaker.ts";

function at() {
  const clock = { now: 0 };
  return {
    clock,
    breaker: openBreaker(
      () => clock.now,
      () => 1,
    ),
  };
}

test("a few failures, or many with a success among them, say nothing about the provider", () => {
  const { breaker } = at();
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 19; i++) breaker.failed({});
    assert.equal(breaker.waitMs(), 0);
    breaker.succeeded();
  }
  assert.equal(breaker.isTrying(), false);
});

test("a provider that fails again and again is left alone for longer each time, and asked with little when it is tried", () => {
  const { clock, breaker } = at();
  const waits: number[] = [];
  for (let i = 0; i < 20; i++) breaker.failed({});
  for (let i = 0; i < 8; i++) {
    waits.push(breaker.waitMs());
    // Those that were in flight meanwhile make it no longer.
    breaker.failed({});
    clock.now += breaker.waitMs();
    assert.deepEqual([breaker.waitMs(), breaker.isTrying()], [0, true]);
    breaker.failed({});
  }
  assert.deepEqual(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  breaker.succeeded();
  assert.deepEqual([breaker.waitMs(), breaker.isTrying()], [0, false]);
});

test("one refusal of us is enough, and a provider that says how long is left alone at least so long", () => {
  const { clock, breaker } = at();
  breaker.failed({ misconfigured: true });
  assert.equal(breaker.waitMs(), 10_000);
  clock.now += 10_000;
  breaker.failed({ misconfigured: true, pauseMs: 1_200_000 });
  assert.equal(breaker.waitMs(), 1_200_000);
});

test("the failure that has it left alone says for how long, each time it is; the first success since says that it was", () => {
  const { clock, breaker } = at();
  const said = Array.from({ length: 21 }, () => breaker.failed({}));
  assert.deepEqual(said, [...Array(19).fill(undefined), 1_000, undefined]);
  clock.now += 1_000;
  assert.deepEqual([breaker.failed({}), breaker.failed({})], [2_000, undefined]);
  assert.deepEqual([breaker.succeeded(), breaker.succeeded()], [true, false]);
  assert.equal(breaker.failed({ misconfigured: true, pauseMs: 1_200_000 }), 1_200_000);
});
