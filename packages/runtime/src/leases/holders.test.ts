import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import { recordingLogger } from "../../test/recorder.ts";
import { connectRedis } from "../connections/redis.ts";
import { startHolderLookup } from "./holders.ts";
import { leaseKey, noticeChannel } from "./keys.ts";
import { startLeases } from "./leases.ts";

async function start(t: TestContext) {
  const { redis: server } = await startServers(t, { redis: true });
  const recorder = recordingLogger();
  const redis = await connectRedis({ url: server.url, log: recorder.log });
  t.after(() => redis.disconnect());
  const hold = (key: string, instance: string) => redis.set(leaseKey("conversation", key), instance);
  const lookup = () => {
    const holders = startHolderLookup({ redis, kind: "conversation", keys: ["0", "1", "2"], log: recorder.log });
    t.after(() => holders.close());
    return holders;
  };
  return { server, redis, hold, lookup, ...recorder };
}

test("the holders are known after one read, without being asked for", async (t) => {
  const { hold, lookup } = await start(t);
  await hold("1", "history-a");
  const holders = lookup();
  await eventually(() => holders.of("1") === "history-a");
  assert.equal(holders.of("0"), undefined);
  assert.equal(holders.of("nonsense"), undefined);
});

test("a refresh shows what was true when it was asked for, even while an older read is under way", async (t) => {
  const { hold, lookup } = await start(t);
  const holders = lookup();
  for (const instance of ["history-a", "history-b", "history-c"]) {
    const older = holders.refresh();
    await hold("0", instance);
    await holders.refresh();
    assert.equal(holders.of("0"), instance);
    await older;
  }
});

test("many refreshes at once are one read of Redis", async (t) => {
  const { redis, lookup } = await start(t);
  const holders = lookup();
  await holders.refresh();
  await redis.config("RESETSTAT");
  await Promise.all(Array.from({ length: 100 }, () => holders.refresh()));
  const calls = /cmdstat_mget:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1];
  assert.equal(calls, "1");
});

test("while Redis is away, and after a flush, the last known holder stays known", async (t) => {
  const { server, redis, hold, lookup, events } = await start(t);
  await hold("0", "history-a");
  const holders = lookup();
  await holders.refresh();
  await redis.flushall();
  await holders.refresh();
  assert.equal(holders.of("0"), "history-a");
  await server.kill();
  await holders.refresh();
  await holders.refresh();
  assert.equal(holders.of("0"), "history-a");
  assert.equal(events().filter((event) => event === "holders_unreadable").length, 1, "said once");
  await server.start();
  await eventually(() => hold("0", "history-b"));
  await eventually(async () => {
    await holders.refresh();
    return holders.of("0") === "history-b";
  });
});

test("who lost all that it held stays known as one that may still go on, until it holds something again", async (t) => {
  const { hold, lookup } = await start(t);
  for (const key of ["0", "1"]) await hold(key, "history-a");
  const holders = lookup();
  await holders.refresh();
  await hold("0", "history-b");
  await holders.refresh();
  assert.deepEqual([...holders.former().keys()], []);
  await hold("1", "history-b");
  await holders.refresh();
  assert.deepEqual([...holders.former().keys()], ["history-a"]);
  await hold("2", "history-a");
  await holders.refresh();
  assert.deepEqual([...holders.former().keys()], []);
  for (let n = 0; n < 40; n++) {
    await hold("2", `history-${n}`);
    await holders.refresh();
  }
  assert.equal(holders.former().size, 16, "the latest");
  assert.equal([...holders.former().keys()].at(-1), "history-38");
});

test("a holder is followed as soon as it tells, and whoever waits for it goes on", async (t) => {
  const { redis, lookup, log } = await start(t);
  const holders = lookup();
  await eventually(async () => (await redis.pubsub("NUMSUB", noticeChannel("conversation")))[1] === 1);
  await holders.refresh();
  const told = holders.told("1", 60_000);
  const release = async () => undefined;
  const options = { redis, kind: "conversation" as const, keys: ["0", "1", "2"], log, alive: () => true, release };
  const leases = startLeases({ ...options, instance: "history-a", acquire: async () => undefined });
  t.after(() => leases.close());
  await told;
  assert.equal(holders.of("1"), "history-a");
  assert.deepEqual([...holders.instances()], ["history-a"]);
});

test("who waits to be told waits no longer than it said", async (t) => {
  const { lookup } = await start(t);
  await lookup().told("0", 20);
});
