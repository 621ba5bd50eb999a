// How long its queues are, as the real push says it while a provider takes nothing of us.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PushJob, type PushReplayReply, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { eventually, freePort, startFcm } from "@parley/testkit";
import { createEnqueue } from "../src/queue/enqueue.ts";
import { startPushing } from "./pushing.ts";

const hour = 3_600_000;
const senders = ["ann", "bob", "cal", "dan", "eve", "fay", "gus"];

test("what waits for a provider that takes nothing of us, and what waits for its time, counts at /metrics and in what a replay says, by provider", async (t) => {
  const port = await freePort();
  const fcm = await startFcm(t);
  const settings = { ...fcm.settings, PUSH_HEALTH_PORT: String(port) };
  const pushing = await startPushing(t, [...senders, "zoe"], { settings });
  const { nats, apns } = pushing;
  apns.answer(() => ({ status: 403, reason: "InvalidProviderToken" }));
  pushing.start();
  await pushing.follows();
  const lengths = async () => {
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const found = text.matchAll(/^parley_push_queue\{provider="(\w+)",service="push"\} (\d+)$/gm);
    return Object.fromEntries([...found].map(([, provider, messages]) => [provider, Number(messages)]));
  };
  const replay = (asked: object) =>
    requestJson<PushReplayReply>(nats, subjects.replayPush, asked, { timeoutMs: 30_000 });
  await eventually(async () => assert.deepEqual(await lengths(), { apns: 0, fcm: 0 }) ?? true);

  for (const from of senders) await pushing.say(`p2p/${from}/zoe`, from, "hello");
  // Nobody has a token yet, so push passes all of it over.
  await pushing.isIdle();
  const { uid, clientId, key: token } = await pushing.phone("zoe", "phone");
  const enqueue = createEnqueue(nats);
  const job = (from: string): PushJob => {
    return { kind: "message", uid, clientId, token, conv: `p2p/${from}/zoe`, seq: 1, at: Date.now() };
  };
  await enqueue([{ provider: "fcm", job: job("hal") }], { notBefore: Date.now() + hour });
  for (const from of senders) await enqueue([{ provider: "apns", job: job(from) }]);
  await eventually(async () => {
    const waiting = (await pushing.jetstream.streams.info("PUSH")).state.messages - 1;
    assert.ok(waiting >= senders.length);
    assert.deepEqual(await lengths(), { apns: waiting, fcm: 1 });
    assert.deepEqual(await replay({ limit: 10 }), {
      replayed: 0,
      expired: 0,
      left: 0,
      waiting: { apns: waiting, fcm: 1 },
    });
    assert.deepEqual((await replay({ provider: "fcm", limit: 10 })).waiting, { fcm: 1 });
    return true;
  });

  apns.answer(() => undefined);
  await eventually(async () => assert.deepEqual(await lengths(), { apns: 0, fcm: 1 }) ?? true);
});
