// Bad days: what everything stands on goes away under chat, and chat goes on or resumes by itself.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { eventually, startTestCluster } from "@parley/testkit";
import { type Chatting, chatBySdk, chatByStock } from "./chatting.ts";

const dir = await mkdtemp(join(tmpdir(), "parley-bad-days-"));
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

test("Redis away for ten seconds: conversations go on", async (t) => {
  const chats = await startChats(t);
  await cluster.stopPart("redis-server");
  const until = performance.now() + 10_000;
  do await chats.goesOn({ timeoutMs: 5_000 });
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
