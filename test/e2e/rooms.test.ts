// Rooms that are governed, as devices meet them: stock MQTT clients and the SDK.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { AppError, InvitationNotice, ParleyClient } from "@parley/client";
import {
  historyGet,
  messagesPin,
  messagesPins,
  messagesReactions,
  messagesReceipts,
  messagesVersions,
  roomsBan,
  roomsBlock,
  roomsCreate,
  roomsDelete,
  roomsInvite,
  roomsJoin,
  roomsLeave,
  roomsMembers,
  roomsMute,
  roomsRemove,
  roomsUpdate,
  sync,
  threadsList,
  threadsUpdate,
} from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import * as mosquitto from "./mosquitto.ts";
import { connectAs, registerAll } from "./people.ts";
import { eventuallyFinds, finds } from "./searching.ts";

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
  const { members } = await alice.request(roomsMembers, { id });
  assert.deepEqual(members.at(-1), {
    ...{ uid: "bob", name: "bob", nick: "bob", avatar: "" },
    role: "member",
    joinSeq: 4,
  });
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

/** Ways out of a room; after all but the last one the others go on. */
const waysOut: Record<string, (id: string, alice: ParleyClient, bob: ParleyClient) => Promise<{ seq: number }>> = {
  removed: (id, alice) => alice.request(roomsRemove, { id, uids: ["bob"] }),
  banned: (id, alice) => alice.request(roomsBan, { id, uids: ["bob"] }),
  left: (id, _alice, bob) => bob.request(roomsLeave, { id }),
  blocked: (id, _alice, bob) => bob.request(roomsBlock, { id }),
  deleted: (id, alice) => alice.request(roomsDelete, { id }),
};

async function refusesToTell(client: ParleyClient, conv: string, seqs: readonly number[]): Promise<void> {
  for (const seq of seqs)
    for (const method of [messagesVersions, messagesReactions, messagesReceipts])
      await assert.rejects(client.request(method, { conv, seq }), (error: AppError) => {
        assert.ok(["not_found", "not_member"].includes(error.code), `${method.name}: ${error.code}`);
        return true;
      });
}

test("who is out of a room has nothing of after: live, by sync, history, search, attachments, or what is said about messages", {
  concurrency: true,
}, async (t) => {
  const [{ client: alice }, { client: bob, shown }, { client: carol }] = await Promise.all([
    connectAs(t, cluster, "alice"),
    connectAs(t, cluster, "bob"),
    connectAs(t, cluster, "carol"),
  ]);
  const goesOut = async (way: string, goOut: (typeof waysOut)[string], file: string) => {
    const isDeleted = way === "deleted";
    const { id, conv } = await alice.request(roomsCreate, { name: way, members: ["bob", "carol"] });
    const before = await alice.send(conv, `early${way} words`);
    const told = async () => {
      const said = await alice.send(conv, `late${way} words`);
      const sent = await alice.send(conv, { type: "file", file, name: "late.bin" });
      await alice.edit(conv, before.seq, `late${way} edit`);
      await alice.react(conv, before.seq, "late");
      await alice.send(conv, { type: "text", data: "in a thread" }, { thread: before.seq });
      await alice.request(messagesPin, { conv, seq: said.seq });
      await alice.request(messagesPin, { conv, seq: before.seq });
      return [said.seq, sent.seq];
    };
    // Of a deleted room nothing of before is to be had either: there is no after in it.
    const late = isDeleted ? await told() : undefined;
    if (isDeleted) await eventuallyFinds(bob, `late${way}`, [`late${way} words`, `early${way} words`]);
    const { seq: end } = await goOut(id, alice, bob);
    const seqs = late ?? (await told());
    if (!isDeleted) await eventuallyFinds(carol, `late${way}`, [`late${way} words`, `early${way} words`]);
    await alice.send("user/bob", "fence", { id: `fence ${way}` });
    await eventually(() => shown.some((message) => message.id === `fence ${way}`));

    const mayHave = (seq: number) => (isDeleted ? seq === end : seq <= end);
    if (!isDeleted)
      assert.ok(
        shown.every((message) => message.conv !== conv || mayHave(message.seq)),
        "live",
      );
    const { messages } = await bob.request(historyGet, { conv });
    assert.ok(messages.length > 0 && messages.every(({ seq }) => mayHave(seq)), "history");
    const { conversations } = await bob.request(sync, { cursors: { [conv]: 0 } });
    const synced = conversations.find((one) => one.conv === conv)?.messages ?? [];
    assert.ok(synced.length > 0 && synced.every(({ seq }) => mayHave(seq)), "sync");
    assert.ok(!JSON.stringify([messages, synced]).includes("late"), "what is said about older ones");
    assert.deepEqual(await finds(bob, `late${way}`), [], "search");
    await assert.rejects(bob.download(file), { code: "not_found" });
    const places = isDeleted ? [before.seq, ...seqs] : seqs;
    await refusesToTell(bob, conv, places);
    if (!isDeleted) {
      assert.equal((await bob.request(messagesVersions, { conv, seq: before.seq })).versions.length, 1);
      assert.deepEqual((await bob.request(messagesReactions, { conv, seq: before.seq })).reactions, []);
    }
    const codeOf = ({ code }: AppError) => code;
    const pins = await bob.request(messagesPins, { conv }).catch(codeOf);
    assert.ok(isDeleted || JSON.stringify(pins) === '{"pins":[],"next":null}', JSON.stringify(pins));
    assert.equal(await bob.request(messagesReceipts, { conv, seq: before.seq }).catch(codeOf), "not_member");
    const { threads } = await bob.request(threadsList, { conv });
    assert.deepEqual(threads, [], "threads");
    const reading = bob.request(threadsUpdate, { conv, seq: before.seq, read: 9_999 });
    await assert.rejects(reading, { code: "not_found" });
  };
  const ways: [string, (typeof waysOut)[string], string][] = [];
  for (const [way, goOut] of Object.entries(waysOut)) {
    const { id } = await alice.upload(Buffer.from(`bytes ${way}`), { name: "late.bin" });
    ways.push([way, goOut, id]);
  }
  // Together, as who may find what is looked up once in five seconds.
  await Promise.all(ways.map(([way, goOut, file]) => t.test(way, () => goesOut(way, goOut, file))));
});
