// A queue that an outage has filled, worked by the real push from the real history; and dead letters that are tried again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type PushJob, type PushReplayReply, type PushReplayRequest, streams, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import { type ApnsRequest, eventually, serviceContext } from "@parley/testkit";
import { openDeadLetters } from "../src/queue/dead-letters.ts";
import { createEnqueue } from "../src/queue/enqueue.ts";
import { openMarks } from "../src/queue/marks.ts";
import { type Phone, type Pushing, startPushing } from "./pushing.ts";

const users = Array.from({ length: 100 }, (_, index) => `u${index}`);
const senders = ["ann", "bob"];
const messages = 250;
const minutes = 60_000;
const growthMaxMiB = 60;
/** Some more than push needs to work at all: with the whole queue in hand it would end. */
const heapMiB = 60;
/** after so many it is left alone */
const failures = 20;

type Talk = { conv: string; to: string; phones: readonly Phone[] };

/** Each user with a phone and a pad, and what two senders said to each. */
async function talk(pushing: Pushing): Promise<Talk[]> {
  const talks = users.flatMap((to) => senders.map((from) => ({ conv: `p2p/${from}/${to}`, from, to })));
  const texts = Array.from({ length: messages }, (_, index) => `message ${index + 1}`);
  for (const { conv, from } of talks) await pushing.say(conv, from, ...texts);
  // Nobody has a token yet, so push passes all of it over.
  await pushing.isIdle();
  const phones = new Map<string, Phone[]>();
  for (const uid of users) phones.set(uid, [await pushing.phone(uid, "phone"), await pushing.phone(uid, "pad")]);
  return talks.map(({ conv, to }) => ({ conv, to, phones: phones.get(to)! }));
}

const jobsOf = (kind: PushJob["kind"], { conv, phones }: Talk, seq: number, at: number): PushJob[] =>
  phones.map(({ uid, clientId, key }) => ({ kind, uid, clientId, token: key, conv, seq, at }));

function putter({ nats, redis }: Pushing) {
  const [enqueue, marks] = [createEnqueue(nats), openMarks(redis, serviceContext("test").log)];
  return async (jobs: readonly PushJob[]) => {
    await marks.queued(jobs);
    await enqueue(jobs.map((job) => ({ provider: "apns", job })));
  };
}

/** What APNs takes from now on; before, it is down. */
function providerOf({ apns }: Pushing) {
  const taken: ApnsRequest[] = [];
  apns.answer(() => ({ status: 503, reason: "ServiceUnavailable" }));
  return {
    taken,
    up: () => apns.answer((request) => void taken.push(request)),
  };
}

const named = (request: ApnsRequest) => {
  const { kind, conv, seq } = request.payload as { kind: string; conv: string; seq: number };
  return `${kind} ${request.token} ${conv} ${seq}`;
};

test("100,000 notifications that an outage kept up become one for each conversation and device, no old call rings, and memory stays flat", async (t) => {
  const pushing = await startPushing(t, [...users, ...senders], { heapMiB });
  const { apns, jetstream } = pushing;
  pushing.start();
  await pushing.follows();
  const talks = await talk(pushing);
  await pushing.kill();
  const put = putter(pushing);
  const at = Date.now() - 2 * minutes;
  for (let seq = 1; seq <= messages; seq++) {
    await put(talks.flatMap((one) => jobsOf("message", one, seq, at)));
    if (seq === messages / 2) await put(talks.flatMap((one) => jobsOf("call", one, seq, at)));
  }
  const waiting = async () => (await jetstream.streams.info(streams.push.name)).state.messages;
  const queued = await waiting();
  const provider = providerOf(pushing);
  const from = performance.now();
  pushing.start();
  // What it needs to work at all it has by then.
  await eventually(async () => (await waiting()) < queued * 0.9);
  const before = pushing.peakMiB();
  await eventually(() => apns.count() >= failures);
  provider.up();
  await pushing.isIdle();
  const seconds = (performance.now() - from) / 1_000;
  const grown = pushing.peakMiB() - before;
  t.diagnostic(`${queued} messages of the queue were done ${seconds.toFixed(1)} s after the start`);
  t.diagnostic(`${before.toFixed(0)} MiB before, and ${grown.toFixed(0)} MiB more at most`);
  const expected = talks.flatMap(({ conv, phones }) =>
    phones.map(({ token }) => `message ${token} ${conv} ${messages}`),
  );
  assert.deepEqual(provider.taken.map(named).toSorted(), expected.toSorted());
  assert.ok(grown < growthMaxMiB, `${grown} MiB`);
  const [first] = talks as [Talk];
  await put(jobsOf("call", first, messages, Date.now()));
  await pushing.isIdle();
  const rung = first.phones.map(({ token }) => `call ${token} ${first.conv} ${messages}`);
  assert.deepEqual(provider.taken.slice(expected.length).map(named).toSorted(), rung.toSorted(), "a call of now rings");
});

test("dead letters that are tried again are sent once each, the oldest first and as many as was said; what is of no use any more is removed", async (t) => {
  const pushing = await startPushing(t, ["ann", "cal", "bob"]);
  const { nats, apns } = pushing;
  pushing.start();
  await pushing.follows();
  const last = await pushing.say("p2p/ann/bob", "ann", "one", "two", "three");
  await pushing.isIdle();
  const one = { conv: "p2p/ann/bob", to: "bob", phones: [await pushing.phone("bob", "phone")] };
  const { bury } = openDeadLetters({
    ...serviceContext("test"),
    nats,
    enqueue: createEnqueue(nats),
    isExpired: () => false,
  });
  const [now, old] = [Date.now(), Date.now() - 2 * minutes];
  for (const seq of [1, 2]) for (const job of jobsOf("message", one, seq, now)) await bury("apns", job, "BadPayload");
  for (const job of jobsOf("call", one, 2, old)) await bury("apns", job, "BadPayload");
  for (const job of jobsOf("message", one, last, now)) await bury("apns", job, "BadPayload");
  const replay = async (asked: PushReplayRequest) => {
    const reply = await requestJson<PushReplayReply>(nats, subjects.replayPush, asked, { timeoutMs: 30_000 });
    const { waiting: _, ...replayed } = reply;
    return replayed;
  };
  const sent = () => apns.seen.map(named);
  const names = [1, 2, last].map((seq) => `message ${one.phones[0]?.token} p2p/ann/bob ${seq}`);
  assert.deepEqual(await replay({ provider: "fcm", limit: 10 }), { replayed: 0, expired: 0, left: 0 });
  assert.deepEqual(await replay({ provider: "apns", limit: 1 }), { replayed: 1, expired: 0, left: 3 });
  await eventually(() => sent().length === 1);
  assert.deepEqual(sent(), names.slice(0, 1));
  assert.deepEqual(await replay({ limit: 10 }), { replayed: 2, expired: 1, left: 0 });
  assert.deepEqual(await replay({ limit: 10 }), { replayed: 0, expired: 0, left: 0 });
  await eventually(() => sent().length === 3);
  await pushing.isIdle();
  assert.deepEqual(sent(), names);
});
