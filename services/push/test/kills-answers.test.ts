// kill -9 of the real push behind what a provider has answered, and amid a replay of dead letters: counted at the provider.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type DeadPush, type PushReplayReply, streams, subjects } from "@parley/protocol";
import { requestJson } from "@parley/runtime";
import {
  type ApnsReply,
  type ApnsRequest,
  eventually,
  startFcm,
  startWebPush,
  type TestContext,
} from "@parley/testkit";
import { jobKey } from "../src/queue/jobs.ts";
import { type Pushing, startPushing } from "./pushing.ts";
import { callerOf, fcm as fcmToken, list, register } from "./registered.ts";

const senders = ["ann", "cal", "dan"];
const devices = ["phone", "pad"];
/** Who is killed does not answer. */
const soonMs = 2_000;

interface Story extends Pushing {
  /** APNs says this from now on; undefined: it takes all. */
  apnsSays(reply?: ApnsReply): void;
  /** Each sender says one thing to Bob, in a conversation of its own. */
  sayAll(): Promise<void>;
  /** What APNs was asked and what it has taken: how often, by notification. */
  asked: Map<string, number>;
  taken: Map<string, number>;
  /** What each dead letter is of. */
  letters(): Promise<string[]>;
  replay(timeoutMs?: number): Promise<Omit<PushReplayReply, "waiting">>;
}

const nameOf = ({ token, payload }: ApnsRequest) => `${token} ${(payload as { conv: string }).conv}`;

/** Bob has a phone and a pad. */
async function startStory(t: TestContext, dieAt?: Parameters<Pushing["start"]>[0]): Promise<Story> {
  const pushing = await startPushing(t, ["bob", ...senders]);
  const { nats, apns, jetstream } = pushing;
  const [asked, taken] = [new Map<string, number>(), new Map<string, number>()];
  const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  const apnsSays = (reply?: ApnsReply) =>
    apns.answer((request) => {
      count(asked, nameOf(request));
      if (reply === undefined) count(taken, nameOf(request));
      return reply;
    });
  apnsSays();
  pushing.start(dieAt);
  await pushing.follows();
  for (const device of devices) await pushing.phone("bob", device);
  return {
    ...pushing,
    apnsSays,
    asked,
    taken,
    async sayAll() {
      await Promise.all(senders.map((from) => pushing.say(conversation(from), from, "hello")));
    },
    async letters() {
      const { first_seq, last_seq } = (await jetstream.streams.info(streams.dead.name)).state;
      const found: string[] = [];
      for (let seq = first_seq; seq <= last_seq; seq++) {
        const letter = await jetstream.streams.getMessage(streams.dead.name, { seq }).catch(() => null);
        if (letter) found.push(jobKey(letter.json<DeadPush>().job));
      }
      return found;
    },
    async replay(timeoutMs = 30_000) {
      const reply = await requestJson<PushReplayReply>(nats, subjects.replayPush, { limit: 100 }, { timeoutMs });
      const { waiting: _, ...replayed } = reply;
      return replayed;
    },
  };
}

const conversation = (from: string) => `p2p/${[from, "bob"].sort().join("/")}`;
const all = senders.length * devices.length;
const times = (counts: Map<string, number>) => [...counts.values()].toSorted();
const once = Array<number>(all).fill(1);

/** All of them are dead letters, each once. */
async function buryAll(story: Story): Promise<void> {
  story.apnsSays({ status: 400, reason: "BadTopic" });
  await story.sayAll();
  await eventually(() => story.asked.size === all);
  await story.isIdle();
  const letters = await story.letters();
  assert.deepEqual([letters.length, new Set(letters).size], [all, all]);
}

suite("push that is killed behind an answer", { concurrency: true }, () => {
  test("503: what is in the queue for later by then, and comes again as well, is taken by APNs once", async (t) => {
    const story = await startStory(t, "before-push-taken:1");
    story.apnsSays({ status: 503, reason: "ServiceUnavailable" });
    await story.sayAll();
    assert.equal(await story.died(), "SIGKILL");
    assert.ok(story.asked.size > 0);
    story.apnsSays();
    story.start();
    await story.isIdle();
    assert.deepEqual(times(story.taken), once);
    assert.deepEqual(await story.letters(), []);
  });

  test("400: what was buried by then and comes again stands as a dead letter once, and once it can be sent it is, once", async (t) => {
    const story = await startStory(t, "before-push-taken:1");
    story.apnsSays({ status: 400, reason: "BadTopic" });
    await story.sayAll();
    assert.equal(await story.died(), "SIGKILL");
    const before = await story.letters();
    assert.ok(before.length > 0);
    story.start();
    await story.isIdle();
    const letters = await story.letters();
    assert.deepEqual([letters.length, new Set(letters).size], [all, all]);
    assert.ok(Math.max(...times(story.asked)) <= 2, "APNs is asked once more at most");
    story.apnsSays();
    assert.deepEqual(await story.replay(), { replayed: all, expired: 0, left: 0 });
    await story.isIdle();
    assert.deepEqual(times(story.taken), once);
    assert.deepEqual(await story.letters(), []);
  });

  test("410: a token that went by then is asked about no more, and what is registered anew is told of what comes then", async (t) => {
    const story = await startStory(t, "before-push-taken:1");
    story.apnsSays({ status: 410, reason: "Unregistered" });
    await story.say(conversation("ann"), "ann", "hello");
    assert.equal(await story.died(), "SIGKILL");
    assert.deepEqual(times(story.asked), [1, 1]);
    story.apnsSays();
    story.start();
    await eventually(async () => assert.deepEqual(await list(story.nats, "bob"), []) ?? true);
    await story.isIdle();
    assert.deepEqual([times(story.asked), times(story.taken)], [[1, 1], []]);
    await story.phone("bob", "phone");
    await story.say(conversation("ann"), "ann", "again");
    await eventually(() => story.taken.size > 0);
    await story.isIdle();
    assert.deepEqual(times(story.taken), [1]);
    assert.deepEqual(await story.letters(), []);
  });

  for (const point of ["before-letter-removed:1", "before-letter-removed:3"] as const) {
    const where = point === "before-letter-removed:1" ? "before any letter is removed" : "between two of its letters";

    test(`a replay, ${where}: the next one has each notification taken once, and no letter is left`, async (t) => {
      const story = await startStory(t);
      await buryAll(story);
      await story.kill();
      story.apnsSays();
      story.start(point);
      await eventually(() => story.isDead() || story.replay(soonMs).then(() => false));
      assert.equal(await story.died(), "SIGKILL");
      story.start();
      await eventually(async () => (await story.replay()).left === 0);
      await story.isIdle();
      assert.deepEqual(times(story.taken), once);
      assert.deepEqual(await story.letters(), []);
    });

    test(`a replay, ${where}: what is refused again stands as a dead letter once`, async (t) => {
      const story = await startStory(t);
      await buryAll(story);
      await story.kill();
      story.start(point);
      await eventually(() => story.isDead() || story.replay(soonMs).then(() => false));
      assert.equal(await story.died(), "SIGKILL");
      story.start();
      await eventually(() => story.replay());
      await story.isIdle();
      const letters = await story.letters();
      assert.deepEqual([letters.length, new Set(letters).size], [all, all]);
      // And as often as an operator tries it.
      assert.deepEqual(await story.replay(), { replayed: all, expired: 0, left: 0 });
      await story.isIdle();
      assert.equal((await story.letters()).length, all);
    });
  }

  test("FCM has taken it and that is not noted yet: it comes once more, with the same collapse key and tag", async (t) => {
    const fcm = await startFcm(t);
    const pushing = await startPushing(t, ["ann", "bob"], { settings: fcm.settings });
    pushing.start("before-push-settled:1");
    await pushing.follows();
    await eventually(() => register(pushing.nats, callerOf("bob", "phone"), fcmToken()));
    await pushing.say("p2p/ann/bob", "ann", "hello");
    assert.equal(await pushing.died(), "SIGKILL");
    assert.equal(fcm.seen.length, 1);
    pushing.start();
    await pushing.isIdle();
    const alike = fcm.seen.map(({ message }) => {
      const { android, apns } = message as { android: { collapse_key: string; notification: object }; apns: object };
      assert.ok(android.collapse_key);
      return [android.collapse_key, android.notification, apns];
    });
    assert.equal(alike.length, 2);
    assert.deepEqual(alike[1], alike[0]);
  });

  test("a push service has taken it and that is not noted yet: it comes once more, with the same topic", async (t) => {
    const web = await startWebPush(t);
    const pushing = await startPushing(t, ["ann", "bob"], { settings: web.settings });
    pushing.start("before-push-settled:1");
    await pushing.follows();
    const subscription = web.subscribe();
    await eventually(() => register(pushing.nats, callerOf("bob", "browser"), { kind: "webpush", subscription }));
    await pushing.say("p2p/ann/bob", "ann", "hello");
    assert.equal(await pushing.died(), "SIGKILL");
    assert.equal(web.seen.length, 1);
    pushing.start();
    await pushing.isIdle();
    const alike = web.seen.map(({ headers, payload }) => [headers.topic, (JSON.parse(payload) as { tag: string }).tag]);
    assert.equal(alike.length, 2);
    assert.ok(alike[0]?.[0]);
    assert.deepEqual(alike[1], alike[0]);
  });
});
