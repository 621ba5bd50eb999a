import assert from "node:assert/strict";
import { test } from "node:test";
import { openAttempts, reasonOf, retryAfterMs } from "./attempts.ts";
import type { Outcome } from "./outgoing.ts";

const sent: Outcome = { is: "sent" };
const never = () => new Promise<Outcome>(() => undefined);

test("a try that throws before it promises anything, or rejects, is unknown, with what was thrown on one line", async () => {
  const attempts = openAttempts({ deadlineMs: 10_000, atOnce: 1 });
  const thrown = () => {
    throw new Error("no\n\u0007such  thing");
  };
  assert.deepEqual(await attempts.run({ work: thrown }), { is: "unknown", reason: "no such thing" });
  assert.deepEqual(await attempts.run({ work: () => Promise.reject("no") }), { is: "unknown", reason: "no" });
  assert.deepEqual(await attempts.run({ work: async () => sent }), sent);
});

test("a try that never ends settles at the deadline as it says itself, is told so, and its turn is another's; what waited for it does not begin", async () => {
  const attempts = openAttempts({ deadlineMs: 50, atOnce: 1 });
  let aborted = false;
  const work = (signal: AbortSignal) => {
    signal.addEventListener("abort", () => {
      aborted = true;
    });
    return never();
  };
  const late = (): Outcome => ({ is: "gone", reason: "by its status" });
  const outcomes = await Promise.all([attempts.run({ work, late }), attempts.run({ work: never })]);
  assert.deepEqual(outcomes, [
    { is: "gone", reason: "by its status" },
    { is: "later", reason: "too many are under way", unasked: true },
  ]);
  assert.equal(aborted, true);
  assert.deepEqual(await attempts.run({ work: async () => sent }), sent);
  assert.deepEqual(await attempts.run({ work: never }), { is: "unknown", reason: "no answer within 50 ms" });
});

test("so many at once, and of one key fewer; all get their turn", async () => {
  const attempts = openAttempts({ deadlineMs: 10_000, atOnce: 4, atOnceEach: 2 });
  const now = { a: 0, b: 0 };
  const most = { a: 0, all: 0 };
  const work = (key: "a" | "b") => async () => {
    now[key]++;
    most.a = Math.max(most.a, now.a);
    most.all = Math.max(most.all, now.a + now.b);
    await new Promise(setImmediate);
    now[key]--;
    return sent;
  };
  const keys = Array.from({ length: 40 }, (_, n) => (n % 4 === 0 ? "b" : "a"));
  const outcomes = await Promise.all(keys.map((key) => attempts.run({ key, work: work(key) })));
  assert.deepEqual(new Set(outcomes.map(({ is }) => is)), new Set(["sent"]));
  assert.deepEqual(most, { a: 2, all: 4 });
});

test("closing resolves when what has begun has settled; what waits and what comes is for later", async () => {
  const attempts = openAttempts({ deadlineMs: 10_000, atOnce: 1 });
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const started = Promise.withResolvers<void>();
  const begun = attempts.run({
    work() {
      started.resolve();
      return promise;
    },
  });
  const waiting = attempts.run({ work: async () => sent });
  await started.promise;
  let isClosed = false;
  const closing = attempts.close().then(() => {
    isClosed = true;
  });
  assert.equal((await attempts.run({ work: async () => sent })).is, "later");
  assert.equal(isClosed, false);
  resolve(sent);
  await closing;
  assert.deepEqual([(await begun).is, (await waiting).is], ["sent", "later"]);
});

test("Retry-After is read in seconds and as a date, never less than nothing nor more than a day", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const read = (header: string | string[] | undefined) => retryAfterMs(header, now);
  assert.equal(read("7"), 7_000);
  assert.equal(read(["7", "8"]), 7_000);
  assert.equal(read("Thu, 01 Jan 2026 00:01:00 GMT"), 60_000);
  assert.equal(read("Wed, 31 Dec 2025 00:00:00 GMT"), 0);
  assert.equal(read("999999999999"), 86_400_000);
  for (const wrong of [undefined, "", "soon", "-5 s"]) assert.equal(read(wrong), undefined, String(wrong));
});

test("a reason is one line of at most 200 characters, whatever a provider says", () => {
  assert.equal(reasonOf(new Error(` a\r\n\u0000b${"c".repeat(500)}`)).length, 200);
  assert.equal(reasonOf("x\ny"), "x y");
  assert.equal(reasonOf(undefined), "undefined");
});

test("close does not wait long for what a provider that hangs was sent", async () => {
  const attempts = openAttempts({ deadlineMs: 5_000, atOnce: 1 });
  void attempts.run({ work: () => new Promise(() => undefined) });
  await new Promise(setImmediate);
  const before = performance.now();
  const timer = setTimeout(() => assert.fail("close hangs"), 4_000);
  await attempts.close();
  clearTimeout(timer);
  assert.ok(performance.now() - before < 4_000);
});
