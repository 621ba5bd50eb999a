// Rooms as a router meets them on a real history: many who left, and what their messages and members still do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChangeReply, limits, type MembershipEvent, type MembersRequest, roomConv } from "@parley/protocol";
import { conversationPartitions } from "@parley/protocol/partition";
import { type AskHolder, connectNats, connectRedis, createAskHolder, startHolderLookup } from "@parley/runtime";
import { type Cluster, eventually, serviceContext, startTestCluster, type TestContext } from "@parley/testkit";
import { connectDevice, text } from "./pairs.ts";

const parts = ["mosquitto", "redis-server", "nats-server", "history", "api", "router"] as const;

/** Asks history itself, past api's rules on who exists. */
async function askHistory(t: TestContext, cluster: Cluster): Promise<AskHolder> {
  const { log } = serviceContext("test");
  const nats = await connectNats({ url: cluster.wiring.urls.nats, name: "test", log });
  const redis = await connectRedis({ url: cluster.wiring.urls.redis, name: "test", log });
  const holders = startHolderLookup({ redis, kind: "conversation", keys: conversationPartitions, log });
  t.after(async () => {
    holders.close();
    redis.disconnect();
    await nats.close();
  });
  return createAskHolder(nats, holders);
}

test("in a room with more than 9,000 former members messages are delivered, and its members are one short answer", async (t) => {
  const cluster = await startTestCluster(t, { parts });
  const [olga, pete] = await Promise.all([connectDevice(t, cluster, "olga:a"), connectDevice(t, cluster, "pete:a")]);
  const history = await askHistory(t, cluster);
  const conv = roomConv("many");
  const change = (event: MembershipEvent) =>
    history.json<ChangeReply>("change", conv, {
      conv,
      id: `${event.event}:${event.uids[0]}`,
      device: "api",
      origin: "api",
      event,
    });
  await change({ event: "create", by: "olga", uids: ["pete"], name: "Many" });
  for (const round of ["x", "y"]) {
    const uids = Array.from({ length: limits.roomMembers - 2 }, (_, index) => `${round}-former-member-${index}`);
    await change({ event: "invite", by: "olga", uids });
    await change({ event: "remove", by: "olga", uids });
  }
  await olga.send(text("1", "room/many"));
  await eventually(() => pete.messages.some(({ id }) => id === "1") && olga.answers.some(({ id }) => id === "1"));
  const seq = pete.messages.find(({ id }) => id === "1")?.seq as number;
  const asked: MembersRequest = { conv, seq };
  const bytes = await history.bytes("members", conv, JSON.stringify(asked), (reply) => reply.byteLength);
  assert.ok(bytes < 1_000, `${bytes} bytes`);
  assert.equal(cluster.restarts("router"), 0);
});
