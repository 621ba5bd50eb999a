// kill -9 of the real push between the steps of a notification, counted at the provider.
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type ApnsRequest, eventually, type TestContext } from "@parley/testkit";
import { jobKey } from "../src/queue/jobs.ts";
import { type Phone, type Pushing, startPushing } from "./pushing.ts";

const uids = ["ann", "bob", "cal"];
const devices = ["phone", "pad"];

interface Death {
  /** requests that the provider had by then */
  count: number;
  /** names of notifications that were noted as sent by then */
  noted: ReadonlySet<string>;
}

interface Story extends Pushing {
  /** names of all notifications that there must be */
  expected: Set<string>;
  deaths: Death[];
  /** Several senders say something, again and again, until push is dead. */
  sayUntilDead(): Promise<Death>;
  sayAll(): Promise<string[]>;
  requestsFor(name: string): ApnsRequest[];
  /** Names of all that the provider was sent. */
  sent(): Set<string>;
}

/** Two devices of three users, who talk to one another and in a room. */
async function startStory(t: TestContext, dieAt: `${keyof typeof points}:1`): Promise<Story> {
  const pushing = await startPushing(t, uids);
  const { apns } = pushing;
  pushing.start(dieAt);
  await pushing.follows();
  const phones: Phone[] = [];
  for (const uid of uids) for (const device of devices) phones.push(await pushing.phone(uid, device));
  const keys = new Map(phones.map(({ token, key }) => [token, key]));
  const expected = new Set<string>();
  const deaths: Death[] = [];
  const expect = (kind: "message" | "invitation", conv: string, seq: number, to: readonly string[]) =>
    phones
      .filter(({ uid }) => to.includes(uid))
      .map(({ uid, clientId, key }) => {
        const name = jobKey({ kind, uid, clientId, token: key, conv, seq, at: 0 });
        expected.add(name);
        return name;
      });
  const nameOf = ({ token = "", payload }: ApnsRequest) => {
    const { kind, conv, seq } = payload as { kind: "message"; conv: string; seq: number };
    return jobKey({ kind, uid: "", clientId: "", token: keys.get(token) ?? "", conv, seq, at: 0 });
  };
  const requestsFor = (name: string) => apns.seen.filter((request) => nameOf(request) === name);
  expect("invitation", "room/tea", 1, ["ann", "bob"]);
  await pushing.room("tea", "cal", ["ann", "bob"]);

  async function sayAll(): Promise<string[]> {
    const said = await Promise.all(
      [
        { conv: "p2p/ann/bob", from: "ann", to: ["bob"] },
        { conv: "p2p/bob/cal", from: "bob", to: ["cal"] },
        { conv: "room/tea", from: "cal", to: ["ann", "bob"] },
      ].map(async ({ conv, from, to }) => expect("message", conv, await pushing.say(conv, from, "hello"), to)),
    );
    return said.flat();
  }

  async function sayUntilDead(): Promise<Death> {
    while (!pushing.isDead()) {
      const names = await sayAll();
      await eventually(() => pushing.isDead() || names.every((name) => requestsFor(name).length > 0));
    }
    assert.equal(await pushing.died(), "SIGKILL");
    // What it had written before is read by now.
    await eventually(() => apns.open() === 0);
    const noted = await pushing.redis.keys("push:sent:*");
    const death = { count: apns.count(), noted: new Set(noted.map((key) => key.slice("push:sent:".length))) };
    deaths.push(death);
    return death;
  }

  return {
    ...pushing,
    expected,
    deaths,
    sayAll,
    sayUntilDead,
    requestsFor,
    sent: () => new Set(apns.seen.map(nameOf)),
  };
}

/** Names of notifications that the provider was sent more than once: each time push had died before the earlier one was noted. */
function repeated({ expected, deaths, requestsFor }: Story): string[] {
  return [...expected].filter((name) => {
    const requests = requestsFor(name);
    for (const [index, again] of requests.slice(1).entries()) {
      const before = requests[index]!;
      const between = deaths.filter(({ count }) => before.n <= count && count < again.n);
      assert.ok(
        between.some(({ noted }) => !noted.has(name)),
        `${name} came again, and no death between its answer and its mark explains it`,
      );
      for (const header of ["apns-id", "apns-collapse-id"]) {
        assert.ok(before.headers[header], header);
        assert.equal(again.headers[header], before.headers[header]);
      }
    }
    return requests.length > 1;
  });
}

const points = {
  "before-push-queued": ({ count }: Death) => assert.equal(count, 0),
  "before-stored-taken": () => undefined,
  "before-push-send": ({ count }: Death) => assert.equal(count, 0),
  "before-push-settled": ({ count, noted }: Death) => assert.deepEqual([count > 0, noted.size], [true, 0]),
  "before-push-taken": ({ noted }: Death) => assert.ok(noted.size > 0),
} as const;

suite("push that is killed", { concurrency: true }, () => {
  for (const point of Object.keys(points) as (keyof typeof points)[])
    test(`${point}, the first and the third time, has each device told of each message once, and again alike only what was sent and not noted yet`, async (t) => {
      const story = await startStory(t, `${point}:1`);
      points[point](await story.sayUntilDead());
      story.start(`${point}:3`);
      await story.sayUntilDead();
      story.start();
      await story.sayAll();
      await eventually(() => assert.deepEqual(story.sent(), story.expected) ?? true);
      await story.isIdle();
      assert.deepEqual(story.sent(), story.expected);
      const again = repeated(story);
      t.diagnostic(`${story.expected.size} notifications, ${story.apns.count()} requests, ${again.length} came again`);
      if (point === "before-push-settled") assert.ok(again.length > 0);
    });
});
