// Bad days: what everything stands on goes away under chat, and chat goes on or resumes by itself.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { eventually, mountSmallDisk, type Part, readLog, startTestCluster } from "@parley/testkit";
import { connectAsync } from "mqtt";
import { type Chatting, chatBySdk, chatByStock } from "./chatting.ts";
import * as mosquitto from "./mosquitto.ts";
import { password, registerAll } from "./people.ts";
import { openStock } from "./stock.ts";

const dir = await mkdtemp(join(tmpdir(), "parley-bad-days-"));
const disk = mountSmallDisk(join(dir, "data/history"), 64);
after(() => disk?.unmount());
const cluster = await startTestCluster({ after }, { dir });
after(() => process.env.PARLEY_KEEP ?? rm(dir, { recursive: true, force: true }));

// Their own people for each test: a conversation is compared from its first message.
let tests = 0;
async function startChats(t: TestContext): Promise<Chatting> {
  tests += 1;
  const bySdk = await chatBySdk(t, cluster, `anna${tests}`, `bert${tests}`);
  const byStock = await chatByStock(t, cluster, `carl${tests}`, `dora${tests}`);
  const both = [bySdk, byStock];
  const chats: Chatting = {
    conv: bySdk.conv,
    goesOn: async (options) => void (await Promise.all(both.map((one) => one.goesOn(options)))),
    settle: async () => void (await Promise.all(both.map((one) => one.settle()))),
  };
  await chats.goesOn();
  return chats;
}

test("Redis flushed under chat: chat goes on, and nothing acknowledged is lost", async (t) => {
  const chats = await startChats(t);
  for (let times = 0; times < 3; times += 1) {
    await cluster.flushRedis();
    await chats.goesOn();
  }
  await chats.settle();
});

test("Redis away for ten seconds: conversations go on, who has a token gets in, a wrong password does not", async (t) => {
  const chats = await startChats(t);
  await cluster.stopPart("redis-server");
  const until = performance.now() + 10_000;
  const { mqtt, clientId } = await mosquitto.logIn(cluster, "anna1", "late");
  const url = `mqtt://${mqtt.host}:${mqtt.port}`;
  const enters = { ...mqtt, clientId, reconnectPeriod: 0 };
  const late = await connectAsync(url, enters);
  t.after(() => late.endAsync(true));
  await assert.rejects(connectAsync(url, { ...enters, password: "wrong wrong wrong" }, false), { code: 5 });
  do await chats.goesOn();
  while (performance.now() < until);
  await cluster.startPart("redis-server");
  await cluster.waitReady("redis-server");
  await chats.goesOn();
  await cluster.waitReady();
  await chats.settle();
});

for (const part of ["nats-server", "mosquitto"] as const)
  for (const signal of ["SIGTERM", "SIGKILL"] as const)
    test(`${part} restarted by ${signal}: chat resumes by itself, and nothing acknowledged is lost`, async (t) => {
      const chats = await startChats(t);
      await cluster.kill(part, { signal });
      await chats.goesOn();
      await cluster.waitReady();
      await chats.settle();
    });

test("a store that answers nothing for four seconds: chat resumes by itself", async (t) => {
  const chats = await startChats(t);
  await cluster.pause("history");
  const until = performance.now() + 4_000;
  await eventually(() => performance.now() > until);
  await cluster.resume("history");
  await chats.goesOn();
  await cluster.waitReady();
  await chats.settle();
  assert.equal(cluster.restarts("history"), 0);
});

test("api away: conversations go on, a token is enough to connect, a password waits for api", async (t) => {
  const chats = await startChats(t);
  const { mqtt, clientId } = await mosquitto.logIn(cluster, "anna1", "token");
  const url = `mqtt://${mqtt.host}:${mqtt.port}`;
  await cluster.stopPart("api");
  t.after(() => cluster.startPart("api"));
  const enters = { ...mqtt, clientId, protocolVersion: 5 as const, reconnectPeriod: 0 };
  const late = await connectAsync(url, enters);
  t.after(() => late.endAsync(true));
  // Closed without a CONNACK, after which clients try again.
  await assert.rejects(connectAsync(url, { ...enters, password }, false), /Couldn't connect to server/);
  await chats.goesOn();
  await cluster.startPart("api");
  await cluster.waitReady();
  await chats.settle();
});

test("a full disk: senders are told, chat goes on by itself once there is space, nothing acknowledged is lost", async (t) => {
  if (!disk) return t.skip("A SMALL DISK CAN BE MOUNTED ONLY AS ROOT ON LINUX: a full disk is not tested here");
  const chats = await startChats(t);
  await registerAll(cluster, "writer", "reader");
  const writer = await openStock(t, await mosquitto.logIn(cluster, "writer", "stock"));
  t.after(() => disk.empty());
  disk.fill();
  const content = { type: "text", data: "x".repeat(40_000) };
  const sent: Promise<unknown>[] = [];
  // The write-ahead log has some room of its own.
  const isTold = () => {
    if (sent.length < 200) sent.push(writer.send({ id: `big${sent.length}`, to: "user/reader", content }));
    return writer.nacks.length > 0;
  };
  await eventually(isTold, { timeoutMs: 30_000, intervalMs: 10 });
  assert.equal(writer.nacks[0]?.code, "unavailable");
  assert.match(writer.nacks[0]?.message ?? "", /disk is full/);
  assert.match(await readLog(cluster, "history"), /history\/(log|documents)\.db: the disk is full; free some space/);
  disk.empty();
  await chats.goesOn();
  await Promise.all(sent);
  await cluster.waitReady();
  await chats.settle();
  assert.equal(cluster.restarts("history"), 0);
});

test("services started before the servers say what they wait for, and are ready when all are there", async (t) => {
  const services: Part[] = ["edge", "router", "api", "auth-webhook", "presence", "search", "push", "history"];
  const servers: Part[] = ["mosquitto", "redis-server", "nats-server"];
  for (const part of [...services, ...servers]) await cluster.stopPart(part);
  const before = new Map<Part, number>();
  for (const part of services) before.set(part, (await readLog(cluster, part)).length);
  const waits = async (part: Part) =>
    (await readLog(cluster, part))
      .slice(before.get(part))
      .split("\n")
      .filter((line) => line.includes('"waiting"'))
      .map((line) => JSON.parse(line).what);
  for (const part of services) await cluster.startPart(part);
  const expected: [Part, string][] = [
    ["history", "nats"],
    ["history", "redis"],
    ["router", "nats"],
    ["router", "redis"],
    ["presence", "nats"],
    ["search", "nats"],
    ["push", "nats"],
    ["api", "nats"],
    ["auth-webhook", "nats"],
    ["edge", "broker"],
    ["edge", "auth-webhook"],
  ];
  for (const [part, what] of expected)
    await eventually(async () => (await waits(part)).includes(what)).catch(async () => {
      assert.fail(`${part} does not say that it waits for ${what}: ${await waits(part)}`);
    });
  await cluster.startPart("redis-server");
  await cluster.startPart("nats-server");
  await eventually(async () => (await waits("router")).includes("broker"));
  await cluster.startPart("mosquitto");
  await cluster.waitReady();
  const chats = await startChats(t);
  await chats.settle();
});
