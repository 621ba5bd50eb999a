// After two deaths: DUP packets one by one, the suspect kept aside, and nothing overtakes them. Who lives was no death.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import type { UplinkTopic } from "@parley/protocol";
import { connectRedis, createLogger, type ReceivedPacket } from "@parley/runtime";
import { eventually, startServers } from "@parley/testkit";
import { createCrashGuard } from "./crash-guard.ts";
import type { Take } from "./partition.ts";

const p = "0";
const log = createLogger({ service: "router", level: "silent" });
const topic: UplinkTopic = { p, uid: "ann", clientId: "ann:a", verb: "msg" };
const packetOf = (text: string, dup: boolean): ReceivedPacket => ({
  topic: "t",
  payload: Buffer.from(text),
  qos: 1,
  dup,
  retain: false,
  properties: {},
});

/** Routers that share a Redis; of each its guard, the packets whose take began, and which are held up or kept aside. */
async function routers(t: TestContext) {
  const { redis: server } = await startServers(t, { redis: true });
  const redis = await connectRedis({ url: server.url, log });
  t.after(() => redis.disconnect());
  const letters: string[] = [];
  return (instance: string) => {
    const began: string[] = [];
    const ends = new Map<string, () => void>();
    const take: Take = ({ payload }) => {
      began.push(payload.toString());
      return new Promise<void>((resolve) => ends.set(payload.toString(), resolve));
    };
    const deadLetter = async ({ payload }: ReceivedPacket) => void letters.push(payload.toString());
    const guard = createCrashGuard({ redis, instance, deadLetter, log });
    let guarded: Take = take;
    return {
      began,
      letters,
      async acquire() {
        guarded = await guard.acquired(p, take, { ack: async () => undefined, nack: async () => undefined });
        return guarded !== take;
      },
      lost: () => guard.lost(p),
      released: () => guard.released(p),
      offer: (text: string, dup: boolean) => void guarded(packetOf(text, dup), topic, () => undefined),
      end: (text: string) => ends.get(text)?.(),
    };
  };
}

// One that is careful, since two before it died.
async function carefulRouter(t: TestContext) {
  const router = await routers(t);
  for (const instance of ["first", "second"]) await router(instance).acquire();
  const third = router("third");
  assert.equal(await third.acquire(), true);
  return { router, third };
}

test("a new packet does not overtake the DUP packets that came before it", async (t) => {
  const { third } = await carefulRouter(t);
  for (const [text, dup] of [["1", true], ["2", true], ["3", false], ["4", false]] as const) third.offer(text, dup); // biome-ignore format: one line reads better
  await eventually(() => third.began.length === 1);
  third.end("1");
  await eventually(() => third.began.length === 2);
  third.end("2");
  await eventually(() => third.began.length === 4);
  assert.deepEqual(third.began, ["1", "2", "3", "4"]);
});

test("once the DUP packets are done, packets go side by side again", async (t) => {
  const { third } = await carefulRouter(t);
  third.offer("1", true);
  await eventually(() => third.began.length === 1);
  third.end("1");
  await eventually(async () => {
    third.offer("2", false);
    await turn();
    return third.began.length > 1;
  });
  third.offer("3", false);
  assert.equal(third.began.at(-1), "3");
});

test("the packet in hand at the death after two deaths is kept aside, though others come before it", async (t) => {
  const { router, third } = await carefulRouter(t);
  third.offer("poison", true);
  await eventually(() => third.began.length === 1);
  const fourth = router("fourth");
  await fourth.acquire();
  fourth.offer("innocent", true);
  fourth.offer("poison", true);
  await eventually(() => fourth.began.length === 1);
  fourth.end("innocent");
  await eventually(() => fourth.letters.includes("poison"));
  assert.deepEqual(fourth.began, ["innocent"]);
});

test("a holder that lost its lease and lives is no death, whether it finds out before the next one comes or after", async (t) => {
  const router = await routers(t);
  const names = ["first", "second", "third", "fourth", "fifth"].map(router);
  for (const [index, one] of names.entries()) {
    assert.equal(await one.acquire(), false, `holder ${index}`);
    // As after a Redis flush it hears of the loss at once; as after a pause it hears of it when another has come.
    if (index % 2 === 0) await one.lost();
    else await names[index + 1]?.acquire().then(() => one.lost());
  }
});

test("what a holder had in hand that lost its lease is no suspect once that holder speaks again", async (t) => {
  const { router, third } = await carefulRouter(t);
  third.offer("innocent", true);
  await eventually(() => third.began.length === 1);
  const fourth = router("fourth");
  assert.equal(await fourth.acquire(), true);
  await third.lost();
  fourth.offer("innocent", true);
  await eventually(() => fourth.began.includes("innocent"));
  assert.deepEqual(fourth.letters, []);
});
