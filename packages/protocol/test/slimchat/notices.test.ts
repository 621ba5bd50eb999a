// Receipts and other notices of Parley, as events of SlimChat.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openDevice, type Packet } from "./device.ts";

test("a receipt is told as a message of type event by whose it is, and said in the same words", async () => {
  const { done, render, publish } = openDevice();
  const [told] = await render({ type: "receipt", conv: "p2p/bob/jack", uid: "bob", delivered: 3, read: 2 });
  const { ts, ...packet } = told!.packet;
  assert.equal(typeof ts, "number");
  const data = { event: "receipt", conv: "p2p/bob/jack", uid: "bob", delivered: 3, read: 2 };
  assert.deepEqual(packet, {
    id: "receipt:p2p/bob/jack:bob:3:2",
    from: "bob",
    to: "jack",
    type: "event",
    thread: "p2p/bob/jack",
    content: { type: "event", data },
  });
  await publish("$IM/user/bob", { type: "event", content: { type: "event", data: { event: "receipt", read: 3 } } });
  const thread = "room/tea";
  await publish("$IM/user/bob", { thread, content: { type: "event", data: { event: "receipt", delivered: 4 } } });
  assert.deepEqual(done, [
    ["receipt", { conv: "p2p/bob/jack", read: 3 }],
    ["receipt", { conv: "room/tea", delivered: 4 }],
  ]);
});

test("a receipt that is none is refused, and nothing is marked", async () => {
  const { done, told, publish } = openDevice();
  await publish("$IM/user/bob", { id: "r", content: { type: "event", data: { event: "receipt", read: "3" } } });
  assert.deepEqual(done, []);
  assert.equal((told[0]!.packet.content as { data: Packet }).data.code, "invalid_packet");
});

test("other notices are told as events with all that they say; typing, acks and answers are not", async () => {
  const { render } = openDevice();
  const invitation = { type: "invitation", id: "tea", conv: "room/tea", name: "Tea", by: "bob" };
  const [told] = await render(invitation);
  const { type, ...fields } = invitation;
  assert.equal(told!.topic, "$IM/user/jack");
  assert.deepEqual(told!.packet.content, { type: "event", data: { event: type, ...fields } });
  assert.deepEqual([told!.packet.from, told!.packet.type], ["parley", "event"]);
  for (const silent of [
    { type: "typing", conv: "p2p/bob/jack" },
    { type: "ack", id: "m1" },
    { id: "1", result: {} },
  ])
    assert.deepEqual(await render(silent), []);
});
