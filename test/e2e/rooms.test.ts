// Rooms that are governed, as devices meet them: stock MQTT clients and the SDK.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { AppError, InvitationNotice } from "@parley/client";
import { roomsCreate, roomsInvite, roomsJoin, roomsMute, roomsRemove, roomsUpdate } from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import * as mosquitto from "./mosquitto.ts";
import { connectAs, registerAll } from "./people.ts";

const cluster = await startTestCluster({ after });
await registerAll(cluster, "alice", "bob", "carol");

test("an invitation reaches the invited user's devices, and messages come from when it accepts until it is removed", async (t) => {
  const invitations: InvitationNotice[] = [];
  const heard: string[] = [];
  const { client: bob } = await connectAs(t, cluster, "bob", {});
  bob.on("invitation", (invitation) => void invitations.push(invitation));
  bob.on("message", ({ id }) => void heard.push(id));
  const { client: alice } = await connectAs(t, cluster, "alice", {});
  const { id, conv } = await alice.request(roomsCreate, { name: "Den", settings: { invitations: "ask" } });
  await alice.request(roomsInvite, { id, uids: ["bob"] });
  await eventually(() => invitations.length === 1);
  assert.deepEqual(invitations, [{ type: "invitation", id, conv, name: "Den", by: "alice" }]);
  await alice.send(conv, "before", { id: "before" });
  await bob.request(roomsJoin, { id });
  await alice.send(conv, "while", { id: "while" });
  await eventually(() => heard.includes("while"));
  await alice.request(roomsRemove, { id, uids: ["bob"] });
  await alice.send(conv, "after", { id: "after" });
  await alice.send("user/bob", "last", { id: "last" });
  await eventually(() => heard.includes("last"));
  assert.deepEqual(
    heard.filter((one) => ["before", "while", "after"].includes(one)),
    ["while"],
  );
});

test("a muted member's send is refused with the reason, and in slow mode the SDK waits and sends", async (t) => {
  const { client: alice } = await connectAs(t, cluster, "alice", {});
  const { client: bob } = await connectAs(t, cluster, "bob", {});
  const { id, conv } = await alice.request(roomsCreate, { name: "Slow", members: ["bob"] });
  await alice.request(roomsMute, { id, uid: "bob", seconds: 3_600 });
  await assert.rejects(bob.send(conv, "no"), (error: AppError) => {
    assert.deepEqual([error.code, error.details?.reason], ["forbidden", "muted"]);
    return true;
  });
  await alice.request(roomsMute, { id, uid: "bob", seconds: 1 });
  await eventually(() =>
    bob.send(conv, "first").then(
      () => true,
      () => false,
    ),
  );
  await alice.request(roomsUpdate, { id, settings: { slowModeSeconds: 2 } });
  const [one, two] = await Promise.all([bob.send(conv, "one"), bob.send(conv, "two")]);
  assert.ok(two.seq > one.seq && two.ts - one.ts >= 2_000, `${two.ts - one.ts} ms apart`);
});

test("a stock client governs a room by its requests, and is told why it may not write", async (t) => {
  const alice = await mosquitto.logIn(cluster, "alice", "stock");
  const carol = await mosquitto.logIn(cluster, "carol", "stock");
  const listening = await mosquitto.subscribe(t, await mosquitto.logIn(cluster, "carol", "listening"));
  const ask = (session: typeof alice, id: string, method: string, params: object) =>
    mosquitto.ask(session, session.topics.publish.rpc, JSON.stringify({ id, method, params }));
  await ask(alice, "1", "rooms.create", { id: "news", name: "News", members: ["carol"] });
  await ask(alice, "2", "rooms.update", { id: "news", settings: { write: "admin" } });
  await eventually(() => JSON.stringify(listening.packets()).includes('"event":"update"'));
  const packet = JSON.stringify({ id: "m1", to: "room/news", content: { type: "text", data: "hi" } });
  const { type, code, details } = await mosquitto.ask(carol, carol.topics.publish.msg, packet);
  assert.deepEqual({ type, code, details }, { type: "nack", code: "forbidden", details: { reason: "write" } });
  await ask(alice, "3", "rooms.setRole", { id: "news", uid: "carol", role: "admin" });
  assert.equal((await mosquitto.ask(carol, carol.topics.publish.msg, packet)).type, "ack");
});
