// Pinned messages, and how far messages came, over HTTP and MQTT alike.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { limits, type ReceiptRequest } from "@parley/protocol";
import { type Answer, createAsking, refused } from "./asking.ts";
import { askHolders } from "./asking-holders.ts";
import { startHistoryProcess } from "./history-process.ts";
import { startTestApi } from "./surroundings.ts";

const api = await startTestApi({ after }, { API_RATE: "100000", API_BURST: "100000" });
startHistoryProcess({ after }, api);
const token: Record<string, string> = {};
for (const uid of ["alice", "bob", "carol", "dave"]) token[uid] = (await api.user(uid, "web")).token;
const { byHttp, byMqtt } = createAsking(api, (uid) => token[uid] as string);
const say = async (uid: string, to: string, data: string): Promise<number> =>
  (await byHttp(uid, "messages.send", { to, content: { type: "text", data } })).seq;

const holders = await askHolders({ after }, api);
const mark = (request: ReceiptRequest) => holders.json("receipt", request.conv, request);

for (const [door, ask] of [
  ["HTTP", byHttp],
  ["MQTT", byMqtt],
] as const) {
  const pinned = async (uid: string, conv: string): Promise<number[]> =>
    (await ask(uid, "messages.pins", { conv })).pins.map(({ seq, message }: Answer) => {
      assert.equal(message.seq, seq);
      return seq;
    });
  const listed = async (uid: string, conv: string): Promise<number[] | undefined> => {
    const { conversations } = await ask(uid, "conversations.list");
    return conversations.find((one: Answer) => one.conv === conv).pins?.map(({ seq }: Answer) => seq);
  };

  test(`${door}: who may pins messages of a room, all its members see it, and a recalled one is pinned no longer`, async () => {
    const { id, conv } = await ask("alice", "rooms.create", { name: "Room", members: ["bob"] });
    const [one, two] = [await say("bob", conv, "one"), await say("alice", conv, "two")];
    await assert.rejects(ask("bob", "messages.pin", { conv, seq: one }), refused("forbidden", "pin"));
    const { seq: entry } = await ask("alice", "messages.pin", { conv, seq: one });
    assert.equal((await ask("alice", "messages.pin", { conv, seq: one })).seq, 0, "nothing changes");
    await ask("alice", "messages.pin", { conv, seq: two });
    assert.deepEqual(
      [await pinned("bob", conv), await listed("bob", conv)],
      [
        [two, one],
        [one, two],
      ],
    );
    const { messages } = await byHttp("bob", "history.get", { conv, after: entry - 1, limit: 1 });
    assert.deepEqual(messages[0].content, {
      type: "event",
      data: { event: "pin", by: "alice", uids: [], seq: one },
    });
    await ask("alice", "rooms.update", { id, settings: { pin: "member" } });
    await ask("bob", "messages.unpin", { conv, seq: two });
    assert.equal((await ask("bob", "messages.unpin", { conv, seq: two })).seq, 0, "nothing changes");
    await byHttp("bob", "messages.send", { to: conv, content: { type: "recall", seq: one } });
    assert.deepEqual([await pinned("alice", conv), await listed("alice", conv)], [[], undefined]);
    for (const seq of [one, entry, 999])
      await assert.rejects(ask("alice", "messages.pin", { conv, seq }), refused("not_found"));
    await ask("alice", "rooms.archive", { id });
    await assert.rejects(ask("alice", "messages.pin", { conv, seq: two }), refused("forbidden", "archived"));
  });

  test(`${door}: members see the pins of their stays only, and who is none of them none`, async () => {
    const { id, conv } = await ask("alice", "rooms.create", { name: "Room", members: ["bob"] });
    const before = await say("alice", conv, "before");
    await ask("alice", "messages.pin", { conv, seq: before });
    await ask("alice", "rooms.invite", { id, uids: ["carol"] });
    await ask("alice", "rooms.setRole", { id, uid: "carol", role: "admin" });
    assert.deepEqual([await pinned("carol", conv), await listed("carol", conv)], [[], undefined]);
    await assert.rejects(ask("carol", "messages.pin", { conv, seq: before }), refused("not_found"));
    assert.equal((await ask("carol", "messages.unpin", { conv, seq: before })).seq, 0);
    await ask("alice", "rooms.remove", { id, uid: "bob" });
    await ask("alice", "messages.pin", { conv, seq: await say("alice", conv, "after") });
    assert.deepEqual(await pinned("bob", conv), [], "who has left is told of none");
    await ask("alice", "rooms.remove", { id, uid: "carol" });
    await assert.rejects(ask("carol", "messages.pin", { conv, seq: before }), refused("not_member"));
    await assert.rejects(ask("carol", "messages.pins", { conv: "room/nowhere" }), refused("not_found"));
  });

  test(`${door}: between two users either pins, unless blocked; others are told nothing`, async () => {
    const conv = "p2p/alice/bob";
    const seq = await say("alice", "user/bob", "hi");
    await ask("bob", "messages.pin", { conv, seq });
    assert.deepEqual([await pinned("alice", conv), await listed("alice", conv)], [[seq], [seq]]);
    await byHttp("alice", "roster.block", { id: "bob" });
    await assert.rejects(ask("bob", "messages.unpin", { conv, seq }), refused("blocked"));
    await byHttp("alice", "roster.unblock", { id: "bob" });
    await ask("alice", "messages.unpin", { conv, seq });
    assert.deepEqual(await pinned("bob", conv), []);
    for (const foreign of [conv, "p2p/alice/nobody"]) {
      await assert.rejects(ask("carol", "messages.pin", { conv: foreign, seq: 1 }), refused("not_member"));
      await assert.rejects(ask("carol", "messages.unpin", { conv: foreign, seq: 1 }), refused("not_member"));
      await assert.rejects(ask("carol", "messages.pins", { conv: foreign }), refused("not_member"));
    }
    await assert.rejects(ask("bob", "messages.pin", { conv: "p2p/bob/carol", seq: 1 }), refused("not_found"));
  });
}

for (const [door, ask] of [
  ["HTTP", byHttp],
  ["MQTT", byMqtt],
] as const)
  test(`${door}: members learn who of a small room got a message and read it`, async () => {
    const { id, conv } = await ask("alice", "rooms.create", { name: "Room", members: ["bob", "carol"] });
    const seq = await say("alice", conv, "hi");
    const marks = (uid: string, delivered: boolean, read: boolean) => ({ uid, delivered, read });
    assert.deepEqual(await ask("alice", "messages.receipts", { conv, seq }), {
      of: 2,
      delivered: 0,
      read: 0,
      receipts: [marks("bob", false, false), marks("carol", false, false)],
    });
    await mark({ conv, uid: "bob", read: seq });
    await mark({ conv, uid: "carol", delivered: seq });
    assert.deepEqual(await ask("bob", "messages.receipts", { conv, seq }), {
      of: 2,
      delivered: 2,
      read: 1,
      receipts: [marks("bob", true, true), marks("carol", true, false)],
    });
    await ask("alice", "rooms.remove", { id, uid: "carol" });
    assert.equal((await ask("alice", "messages.receipts", { conv, seq })).of, 1);
    const after = await say("alice", conv, "after");
    await assert.rejects(ask("carol", "messages.receipts", { conv, seq: after }), refused("not_member"));
    await assert.rejects(ask("dave", "messages.receipts", { conv, seq }), refused("not_found"));
    await assert.rejects(ask("dave", "messages.receipts", { conv: "p2p/alice/bob", seq }), refused("not_member"));
    for (const none of [after - 1, 999])
      await assert.rejects(ask("alice", "messages.receipts", { conv, seq: none }), refused("not_found"));
    await byHttp("alice", "messages.send", { to: conv, content: { type: "recall", seq } });
    await assert.rejects(ask("alice", "messages.receipts", { conv, seq }), refused("not_found"));
  });

test("of a room of more than 200 members receipts are counted, and nobody is named", async () => {
  const conv = "room/many";
  const uids = Array.from({ length: limits.smallRoomMembers }, (_, at) => `m${at}`);
  const event = { event: "create" as const, by: "alice", uids, name: "Many", room: { settings: {} } };
  await holders.json("change", conv, { conv, id: "create:many", device: "api", origin: "api", event });
  const seq = await say("alice", conv, "hi");
  await mark({ conv, uid: "m7", read: seq });
  const found = await byHttp("alice", "messages.receipts", { conv, seq });
  assert.deepEqual(found, { of: limits.smallRoomMembers, delivered: 1, read: 1 });
});

test("a block hides what each of the two has received and read from the other, in a room of theirs too", async () => {
  const { conv: room } = await byHttp("alice", "rooms.create", { name: "Room", members: ["carol", "dave"] });
  const conv = "p2p/carol/dave";
  const read = async (uid: string, place: { conv: string; seq: number }) =>
    (await byHttp(uid, "messages.receipts", place)).read;
  for (const [from, other] of [
    ["carol", "dave"],
    ["dave", "carol"],
  ] as const) {
    const alone = { conv, seq: await say(from, `user/${other}`, "hi") };
    const among = { conv: room, seq: await say(from, room, "hi") };
    for (const place of [alone, among]) await mark({ conv: place.conv, uid: other, read: place.seq });
    assert.deepEqual([await read(from, alone), await read(from, among)], [1, 1]);
    await byHttp("carol", "roster.block", { id: "dave" });
    assert.deepEqual([await read(from, alone), await read(from, among)], [0, 0], from);
    await mark({ conv: room, uid: "alice", read: among.seq });
    assert.equal(await read(from, among), 1, "others are counted");
    await byHttp("carol", "roster.unblock", { id: "dave" });
  }
});

test(`${limits.pinnedMessages} messages are pinned at most, a recalled one makes room, and pages hold them all`, async () => {
  const { conv } = await byHttp("alice", "rooms.create", { name: "Room" });
  const seqs: number[] = [];
  for (let at = 0; at < limits.pinnedMessages; at++) seqs.push(await say("alice", conv, `${at}${"x".repeat(12_000)}`));
  for (const seq of seqs) await byHttp("alice", "messages.pin", { conv, seq });
  const more = await say("alice", conv, "more");
  await assert.rejects(byHttp("alice", "messages.pin", { conv, seq: more }), refused("conflict"));
  const read: number[] = [];
  for (let page: string | undefined, pages = 0; ; pages++) {
    assert.ok(pages < 5);
    const answer = await byHttp("alice", "messages.pins", { conv, ...(page && { page }) });
    assert.ok(JSON.stringify(answer).length <= limits.pageBytes);
    read.push(...answer.pins.map(({ seq }: Answer) => seq));
    if (answer.next === null) break;
    page = answer.next;
  }
  assert.deepEqual(read, seqs.toReversed());
  await byHttp("alice", "messages.send", { to: conv, content: { type: "recall", seq: seqs[7] } });
  assert.notEqual((await byHttp("alice", "messages.pin", { conv, seq: more })).seq, 0);
  await assert.rejects(byHttp("alice", "messages.pins", { conv, page: "x" }), refused("invalid_packet"));
});
