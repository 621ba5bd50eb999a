import assert from "node:assert/strict";
import { test } from "node:test";
import type { PushJob } from "@parley/protocol";
import { connectRedis } from "@parley/runtime";
import { serviceContext, startServers } from "@parley/testkit";
import { openMarks } from "../src/queue/marks.ts";

const job = (seq: number): PushJob => {
  return { kind: "message", token: "t", uid: "bob", clientId: "bob:phone", conv: "p2p/ann/bob", seq, at: 1 };
};

test("the newest message of a conversation stays the newest when an older one comes into the queue again", async (t) => {
  const { redis: server } = await startServers(t, { redis: true });
  const { log } = serviceContext("push");
  const redis = await connectRedis({ url: server.url, name: "test", log });
  t.after(() => redis.disconnect());
  const marks = openMarks(redis, log);
  await marks.queued([job(5), job(1)]);
  await marks.queued([job(2)]);
  assert.deepEqual(await marks.of([job(3), job(5)]), [{ isSent: false, newer: 5 }, { isSent: false }]);
  await marks.sent([job(5)]);
  assert.deepEqual(await marks.of([job(5)]), [{ isSent: true }]);
});
