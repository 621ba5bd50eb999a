// Rooms as a router meets them on a real history: many who left, and what their messages and members still do.
import assert from "node:assert/strict";
import { after, test } from "node:test";
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

const cluster = await startTestCluster({ after }, { parts });
const [olga, pete] = await Promise.all([
  connectDevice({ after }, cluster, "olga:a"),
  connectDevice({ after }, cluster, "pete:a"),
]);
const history = await askHistory({ after }, cluster);
const change = (conv: string, event: MembershipEvent) =>
  history.json<ChangeReply>("change", conv, {
    conv,
    id: `${event.event}:${event.uids[0]}`,
    device: "api",
    origin: "api",
    event,
  });
const bytesOf = (request: MembersRequest) =>
  history.bytes("members", request.conv, JSON.stringify(request), (reply) => reply.byteLength);
async function delivered(id: string, room: string): Promise<number> {
  await olga.send(text(id, room));
  await eventually(() => [pete.messages, olga.answers].every((packets) => packets.some((packet) => packet.id === id)), {
    timeoutMs: 60_000,
  });
  return pete.messages.find((message) => message.id === id)?.seq as number;
}

test("in a room with more than 9,000 former members messages are delivered, and its members are one short answer", async () => {
  const conv = roomConv("many");
  await change(conv, { event: "create", by: "olga", uids: ["pete"], name: "Many" });
  for (const round of ["x", "y"]) {
    const uids = Array.from({ length: limits.roomMembers - 2 }, (_, index) => `${round}-former-member-${index}`);
    await change(conv, { event: "invite", by: "olga", uids });
    await change(conv, { event: "remove", by: "olga", uids });
  }
  const seq = await delivered("1", "room/many");
  const bytes = await bytesOf({ conv, seq });
  assert.ok(bytes < 1_000, `${bytes} bytes`);
  assert.equal(cluster.restarts("router"), 0);
});

test("a broadcast room of more than 10,000 members is delivered to, and who joins it is one row for who has the list", async () => {
  const conv = roomConv("wide");
  const room = { settings: { write: "admin", join: "open" } } as const;
  await change(conv, { event: "create", by: "olga", uids: ["pete"], name: "Wide", room });
  for (let from = 0; from < 11_000; from += 1_000) {
    const uids = Array.from({ length: 1_000 }, (_, index) => `wide-${from + index}`);
    await change(conv, { event: "invite", by: "olga", uids });
  }
  const seq = await delivered("w1", "room/wide");
  const known = seq - 1;
  await change(conv, { event: "join", by: "late", uids: ["late"] });
  await delivered("w2", "room/wide");
  const bytes = await bytesOf({ conv, seq, known, changes: true });
  assert.ok(bytes < 300, `${bytes} bytes`);
  await change(conv, { event: "remove", by: "olga", uids: ["pete"] });
  await olga.send(text("w3", "room/wide"));
  await eventually(() => olga.answers.some(({ id }) => id === "w3"), { timeoutMs: 60_000 });
  assert.ok(!pete.messages.some(({ id }) => id === "w3"), "who was removed is out of the kept list too");
});
