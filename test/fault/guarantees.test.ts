// Guarantees 2, 5 and 8, step by step, with something killed at every step.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { callHttp } from "@parley/client";
import { type JsonObject, p2pConv, roomConv, roomsInvite } from "@parley/protocol";
import { eventually, type Part } from "@parley/testkit";
import { clusterOfFile } from "./cluster-of-file.ts";
import { conversationsOf, makePeople, patiently } from "./workload/people.ts";
import { callerOf, readAll, syncAll } from "./workload/readers.ts";
import { openTalker } from "./workload/talker.ts";

const text = (data: string) => ({ type: "text", data });

describe("with something killed at every step", () => {
  const cluster = clusterOfFile();

  test("2. a message sent again with the same id by the same device is stored once and acknowledged again with the same seq", async (t) => {
    const people = await makePeople(cluster(), "two", 2);
    const sender = await openTalker(t, people, "two0", { version: 4 });
    const killed: Part[] = ["router", "history", "mosquitto", "edge", "redis-server", "nats-server"];
    for (const part of killed) {
      const message = { id: `before ${part}`, to: "user/two1", content: text("the first body") };
      const first = await sender.say(message);
      await cluster().kill(part);
      const again = await sender.say({ ...message, content: text("another body") });
      assert.deepEqual([again.conv, again.seq, again.ts], [first.conv, first.seq, first.ts], part);
    }
    // Five times while the router dies in the middle of it.
    const topic = sender.device.topics.publish.msg;
    const burst = { id: "five times", to: "user/two1", content: text("the first body") };
    for (let count = 0; count < 5; count++) sender.device.publish(topic, JSON.stringify(burst));
    await cluster().kill("router");
    await sender.say(burst);
    assert.equal(new Set(sender.acksOf("five times").map(({ seq }) => seq)).size, 1);
    const { messages } = await callerOf(cluster(), (await people.login("two1", "http")).token).history({
      conv: p2pConv("two0", "two1"),
    });
    assert.deepEqual(
      messages.map(({ id, content }) => [id, (content as JsonObject).data]),
      [...killed.map((part) => `before ${part}`), "five times"].map((id) => [id, "the first body"]),
    );
  });

  test("5. a device that was away gets everything by sync, exactly what its cursors lack", async (t) => {
    const people = await makePeople(cluster(), "five", 3);
    const alice = await openTalker(t, people, "five0");
    const bob = await openTalker(t, people, "five1");
    const [pair, room, quiet] = [p2pConv("five0", "five1"), roomConv("five-all"), roomConv("five-few")];
    const addresses = new Map([
      [pair, "user/five1"],
      [room, "room/five-all"],
      [quiet, "room/five-few"],
    ]);
    const cursors = new Map<string, number>();
    for (const [conv, to] of addresses) cursors.set(conv, (await alice.say({ id: conv, to, content: text("") })).seq);
    await bob.device.close();
    const expected = new Map<string, number[]>();
    for (const part of ["history", "router", "mosquitto", "redis-server"] as const) {
      await cluster().kill(part);
      for (const conv of [pair, room])
        for (const count of [1, 2]) {
          const message = { id: `${part} ${count} ${conv}`, to: addresses.get(conv) ?? "", content: text(part) };
          const { seq } = await alice.say(message);
          expected.set(conv, [...(expected.get(conv) ?? []), seq]);
        }
    }
    await cluster().kill("history");
    const back = await openTalker(t, people, "five1");
    const lacking = (answer: JsonObject) =>
      (answer.conversations as { conv: string; messages: { seq: number }[] }[])
        .map(({ conv, messages }) => [conv, messages.map(({ seq }) => seq)])
        .sort();
    const answer = await back.ask("sync", { cursors: Object.fromEntries(cursors) });
    assert.deepEqual(lacking(answer), [...expected].sort());
    const paged = await syncAll(callerOf(cluster(), (await people.login("five1", "http")).token), cursors, 3);
    const seqs = [...paged].map(([conv, { messages }]) => [conv, messages.map(({ seq }) => seq)]);
    assert.deepEqual(seqs.sort(), [...expected].sort());
    const heads = Object.fromEntries([...cursors, ...[...expected].map(([conv, all]) => [conv, all.at(-1)] as const)]);
    assert.deepEqual(lacking(await back.ask("sync", { cursors: heads })), []);
  });

  test("5. the first message of a conversation is in the very next sync after kill -9 of history", async (t) => {
    const people = await makePeople(cluster(), "new", 4);
    const alice = await openTalker(t, people, "new0");
    for (const uid of people.uids.slice(1)) {
      const { token } = await people.login(uid, "http");
      const { conv } = await alice.say({ id: "first", to: `user/${uid}`, content: text("hello") });
      await cluster().kill("history");
      const got = await syncAll(callerOf(cluster(), token), new Map());
      assert.deepEqual(
        got.get(conv)?.messages.map(({ id }) => id),
        ["first"],
        uid,
      );
    }
  });

  test("8. unread = messages by others after the marks; markers only move forward and never past the last seq", async (t) => {
    const people = await makePeople(cluster(), "eight", 4);
    const [alice, bob] = [await openTalker(t, people, "eight0"), await openTalker(t, people, "eight1")];
    const conv = p2pConv("eight0", "eight1");
    const { token } = await people.login("eight1", "http");
    const list = async () => {
      const { conversations } = await callerOf(cluster(), token).list({});
      const row = conversations.find((one) => one.conv === conv);
      return row && { unread: row.unread, readSeq: row.readSeq, lastSeq: row.lastSeq };
    };
    let count = 0;
    const say = (from: typeof alice, to: string, content: object) => from.say({ id: `m${count++}`, to, content });
    // Sent again when it was refused because no history held the conversation yet.
    const read = async (seq: number, becomes: number) => {
      const receipt = JSON.stringify({ conv, read: seq });
      const moved = async () => {
        bob.device.publish(bob.device.topics.publish.receipt, receipt);
        return (await list())?.readSeq === becomes;
      };
      await eventually(moved, { intervalMs: 500 });
      bob.device.publish(bob.device.topics.publish.receipt, receipt);
      await bob.ask("conversations.list", {});
    };
    const becomes = async (unread: number, readSeq: number, lastSeq: number, killed?: Part) => {
      await eventually(async () => assert.deepEqual(await list(), { unread, readSeq, lastSeq }) ?? true);
      if (!killed) return;
      await cluster().kill(killed);
      assert.deepEqual(await list(), { unread, readSeq, lastSeq }, `after kill -9 of ${killed}`);
    };
    for (let sent = 0; sent < 5; sent++) await say(alice, "user/eight1", text("hello"));
    await say(alice, "user/eight1", { type: "reaction", seq: 1, data: "+1" });
    await becomes(5, 0, 6, "history");
    await read(3, 3);
    await read(1, 3);
    await becomes(2, 3, 6, "redis-server");
    await read(999, 6);
    await becomes(0, 6, 6, "nats-server");
    for (let sent = 0; sent < 2; sent++) await say(alice, "user/eight1", text("more"));
    await becomes(2, 6, 8);
    await say(bob, "user/eight0", text("an answer"));
    await becomes(0, 6, 9, "history");
  });

  test("8. what was before a member joined is not unread for it", async (t) => {
    const people = await makePeople(cluster(), "late", 4);
    const owner = await openTalker(t, people, "late0");
    const room = { to: "room/late-few", conv: roomConv("late-few") };
    for (const id of ["a", "b", "c"]) await owner.say({ id, to: room.to, content: text(id) });
    const { token } = await people.login("late0", "http");
    const invite = { id: "late-few", uids: ["late3"] };
    await patiently(() => callHttp(cluster().run().http, roomsInvite, invite, { token, idempotencyKey: "invite" }));
    await cluster().kill("history");
    for (const id of ["d", "e"]) await owner.say({ id, to: room.to, content: text(id) });
    const readers = await readAll(
      cluster(),
      people,
      { members: conversationsOf(people), passing: new Map() },
      new Map(),
    );
    const unread = readers.map(({ uid, listed }) => [uid, listed.get(room.conv)?.unread]);
    assert.deepEqual(unread, [
      ["late0", 0],
      ["late1", 5],
      ["late2", 5],
      ["late3", 2],
    ]);
  });
});
