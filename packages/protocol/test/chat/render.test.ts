import assert from "node:assert/strict";
import { test } from "node:test";
import { chat } from "../../src/dialects/chat/chat.ts";
import { readPayload } from "../../src/dialects/chat/records/payload.ts";
import { AppError } from "../../src/errors.ts";
import { historyGet } from "../../src/methods/history.ts";
import { roomsGet } from "../../src/methods/rooms.ts";
import type { Tree } from "../../src/trees.ts";
import { recordParley } from "../recorded-parley.ts";

function open(uid: string, clientId: string) {
  const parley = recordParley(uid, ["#"]);
  const tree: Tree = {
    ...{ p: "0", owner: "user", uid, clientId, accounts: [uid], persistent: true, connectedAt: 1 },
    ...{ filters: ["#"], version: 1, dialect: "chat" },
  };
  return { parley, speaker: chat.open(tree, parley) };
}

const message = (more: object) => ({
  ...{ conv: "room/tea", seq: 7, from: "ada", device: "ada:web", ts: 1_700_000_000_000, id: "m7", to: "room/tea" },
  ...{ content: { type: "text", data: "hi" }, ...more },
});

async function rendered({ speaker }: ReturnType<typeof open>, packet: object) {
  const [said, ...more] = await speaker.render(packet as never);
  assert.deepEqual([said?.topic, more], ["room/tea", []]);
  return said?.payload as Uint8Array;
}

test("a message for many devices is written once for those of one set of records, and anew for those of the other", async () => {
  const packet = message({});
  const [ann, bob] = [open("ann", "emqttd_v1_a"), open("bob", "emqttd_v1_b")];
  const [first, second] = await Promise.all([rendered(ann, packet), rendered(bob, packet)]);
  const late = await rendered(open("eve", "emqttd_late_e"), packet);
  assert.equal(first, second);
  assert.notDeepEqual(late, first);
  for (const [payload, set] of [
    [first, "v1"],
    [late, "late"],
  ] as const) {
    const read = readPayload(payload, set);
    assert.deepEqual([read.set, (read.record as { from?: string }).from], [set, "ada"]);
  }
  assert.deepEqual(await rendered(bob, message({})), second, "another packet, the same words");
  assert.notDeepEqual(await rendered(bob, message({ seq: 8, content: { type: "text", data: "ho" } })), second);
});

test("what answers another message is read and written for each device by itself", async () => {
  const packet = message({ reply: 3, content: { type: "poll", question: "tea?", options: ["yes", "no"] } });
  const devices = [open("ann", "emqttd_v1_a"), open("bob", "emqttd_v1_b")];
  for (const device of devices) {
    await rendered(device, packet);
    assert.deepEqual(
      device.parley.asks.map(([name]) => name),
      [historyGet.name],
    );
  }
});

test("that its user came into a room is told when the room can be read: not now is not never", async () => {
  const data = { event: "create", by: "bob", uids: ["ann"], name: "tea" };
  const created = message({ from: "bob", device: "bob:web", content: { type: "event", data } });
  const { speaker, parley } = open("ann", "emqttd_v1_a");
  parley.answer(roomsGet, () => {
    throw new AppError("unavailable");
  });
  await assert.rejects(async () => speaker.render(created as never), { code: "unavailable" });
  parley.answer(roomsGet, () => {
    throw new AppError("not_found");
  });
  assert.deepEqual(
    (await speaker.render(created as never)).map(({ topic }) => topic),
    ["room/tea"],
  );
});
