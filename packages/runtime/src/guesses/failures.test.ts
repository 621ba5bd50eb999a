import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { connectRedis, type Redis } from "../connections/redis.ts";
import { type Failures, type FailuresOptions, type Guess, openFailures } from "./failures.ts";

const limits = [{ key: "address 192.0.2.1", max: 10 }];

function openCounter(redis: Redis | undefined, options: Partial<FailuresOptions> = {}): Failures {
  return openFailures({ prefix: "test:", redis: () => redis, log: recordingLogger().log, ...options });
}

async function realRedis(t: TestContext) {
  const { redis: server } = await startServers(t, { redis: true });
  const redis = await connectRedis({ url: server.url, log: recordingLogger().log });
  t.after(() => redis.disconnect());
  return { server, redis };
}

/** `guesses` at once, of which the checker says how many it saw. */
async function guessAtOnce(counters: Failures[], guesses: number, verdict: boolean) {
  let checked = 0;
  const check = async () => {
    checked += 1;
    await new Promise((resolve) => setImmediate(resolve));
    return verdict;
  };
  const made = await Promise.all(
    Array.from({ length: guesses }, (_, at) => counters[at % counters.length]!.guess(limits, check)),
  );
  return { checked, refused: made.filter((one) => "retryAfterMs" in one).length, made };
}

const isRefused = (guess: Guess) => "retryAfterMs" in guess && guess.retryAfterMs > 0;

test("of 300 wrong guesses at once no more than ten are checked, at two replicas as well", async (t) => {
  const { redis } = await realRedis(t);
  // A busy machine must not make Redis seem away.
  const replicas = [openCounter(redis, { answerMs: 10_000 }), openCounter(redis, { answerMs: 10_000 })];
  const { checked, refused } = await guessAtOnce(replicas, 300, false);
  assert.equal(checked, 10);
  assert.equal(refused, 290);
  const next = await replicas[1]!.guess(limits, async () => true);
  assert.ok(isRefused(next));
  assert.ok("retryAfterMs" in next && next.retryAfterMs <= 60_000);
});

test("right guesses do not count, however many there are at once", async (t) => {
  const { redis } = await realRedis(t);
  const counter = openCounter(redis);
  for (let round = 0; round < 5; round += 1) {
    const { made } = await guessAtOnce([counter], 20, true);
    assert.ok(made.every((one) => "right" in one && one.right === true));
  }
});

test("what nobody could check does not count", async () => {
  const counter = openCounter(undefined);
  for (let guess = 0; guess < 30; guess += 1)
    assert.deepEqual(await counter.guess(limits, async () => undefined), { right: undefined });
  await assert.rejects(
    counter.guess(limits, async () => Promise.reject(new Error("broken"))),
    /broken/,
  );
  assert.deepEqual(await counter.guess(limits, async () => true), { right: true });
});

test("counters are each other's strangers, and one that is used up refuses for all that name it", async () => {
  const counter = openCounter(undefined);
  const pair = (user: string) => [
    { key: "address a", max: 3 },
    { key: `address a, user ${user}`, max: 2 },
  ];
  const wrong = async () => false;
  await counter.guess(pair("ann"), wrong);
  await counter.guess(pair("ann"), wrong);
  assert.ok(isRefused(await counter.guess(pair("ann"), wrong)));
  assert.deepEqual(await counter.guess(pair("bob"), wrong), { right: false });
  assert.ok(isRefused(await counter.guess(pair("eve"), wrong)), "the address has failed three times");
  assert.deepEqual(await counter.guess([{ key: "address b", max: 1 }], wrong), { right: false });
});

test("while Redis is away failures count in memory, and what was counted there before still does", async (t) => {
  const { server, redis } = await realRedis(t);
  const counter = openCounter(redis);
  const wrong = async () => false;
  for (let guess = 0; guess < 5; guess += 1) await counter.guess(limits, wrong);
  await server.kill();
  await eventually(() => redis.status !== "ready");
  for (let guess = 0; guess < 5; guess += 1) assert.deepEqual(await counter.guess(limits, wrong), { right: false });
  assert.ok(isRefused(await counter.guess(limits, wrong)));
});

test("a window ends: guesses are checked again", async (t) => {
  const { redis } = await realRedis(t);
  const counter = openCounter(redis, { windowMs: 300 });
  await guessAtOnce([counter], 20, false);
  await eventually(async () => "right" in (await counter.guess(limits, async () => true)));
});
