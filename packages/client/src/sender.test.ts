import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { OutgoingMessage } from "./outbox.ts";
import { type Ack, startSender } from "./sender.ts";

const message = (id: string): OutgoingMessage => ({
  id,
  conv: "p2p/a/b",
  packet: { id, to: "user/b", content: { type: "text" } },
});
const ack = (id: string, seq: number): Ack => ({ id, conv: "p2p/a/b", seq, ts: 1 });

function senderOf(t: TestContext, kept: OutgoingMessage[] = [], maxUnsent = 10_000) {
  const published: string[] = [];
  const told: string[] = [];
  const store = new Map(kept.map((one) => [one.id, one]));
  let refuse: number | undefined;
  const sender = startSender({
    kept,
    maxUnsent,
    store: {
      load: async () => [],
      put: async (one) => void store.set(one.id, one),
      remove: async (id) => void store.delete(id),
    },
    random: () => 0,
    publish(packet, done) {
      published.push((packet as { id: string }).id);
      if (refuse !== undefined) done(Object.assign(new Error("refused"), { code: refuse }));
    },
    onSent: ({ id }) => told.push(`sent ${id}`),
    onFailed: ({ id, error }) => told.push(`failed ${id} ${error.code}`),
  });
  t.after(sender.close);
  return { sender, published, told, store, refuseWith: (code: number | undefined) => (refuse = code) };
}

test("a promise is kept by the ack, and by nothing else", async (t) => {
  const { sender, told } = senderOf(t);
  sender.setOnline(true);
  const sent = sender.send(message("1"));
  await Promise.resolve();
  sender.acked(ack("2", 5));
  sender.acked({ ...ack("1", 7), type: "ack" } as Ack);
  assert.deepEqual(await sent, ack("1", 7));
  assert.deepEqual(told, ["sent 1"]);
});

test("a refusal for good breaks the promise with its code; one for now does not", async (t) => {
  const { sender, told } = senderOf(t);
  sender.setOnline(true);
  const nack = { type: "nack" as const, message: "m" };
  const sent = sender.send(message("1"));
  await Promise.resolve();
  assert.equal(sender.nacked({ ...nack, id: "1", code: "unavailable" }), true);
  assert.equal(sender.size(), 1);
  assert.equal(sender.nacked({ ...nack, id: "1", code: "not_member" }), true);
  await assert.rejects(sent, { code: "not_member", message: "m" });
  assert.equal(sender.nacked({ ...nack, id: null, code: "invalid_packet" }), false);
  assert.deepEqual(told, ["failed 1 not_member"]);
});

test("a message is in the store before it goes out, and gone from it after its ack", async (t) => {
  const { sender, published, store } = senderOf(t);
  sender.setOnline(true);
  const sent = sender.send(message("1"));
  assert.deepEqual([[...store.keys()], published], [["1"], []]);
  await Promise.resolve();
  assert.deepEqual(published, ["1"]);
  sender.acked(ack("1", 1));
  await sent;
  assert.equal(store.size, 0);
});

test("what the store had kept goes out first, in order", async (t) => {
  const { sender, published, told } = senderOf(t, [message("1"), message("2")]);
  void sender.send(message("3")).catch(() => {});
  await Promise.resolve();
  sender.setOnline(true);
  assert.deepEqual(published, ["1", "2", "3"]);
  sender.acked(ack("1", 1));
  assert.deepEqual(told, ["sent 1"]);
});

test("an id that is on its way already is refused, and the first one is not disturbed", async (t) => {
  const { sender } = senderOf(t);
  sender.setOnline(true);
  const first = sender.send(message("1"));
  await assert.rejects(sender.send(message("1")), { code: "conflict" });
  sender.acked(ack("1", 1));
  assert.equal((await first).seq, 1);
});

test("a broker that refuses the packet for its size breaks the promise; any other refusal is tried again", async (t) => {
  const { sender, refuseWith } = senderOf(t);
  sender.setOnline(true);
  refuseWith(149);
  await assert.rejects(sender.send(message("1")), { code: "too_large" });
  refuseWith(151);
  void sender.send(message("2")).catch(() => {});
  await Promise.resolve();
  assert.equal(sender.size(), 1);
});

test("closing breaks the promises, says that the messages are kept, and keeps them", async (t) => {
  const { sender, store } = senderOf(t);
  const sent = sender.send(message("1"));
  sender.close();
  await assert.rejects(sent, { code: "unavailable", message: /kept/ });
  assert.deepEqual([...store.keys()], ["1"]);
});

test("an outbox that is full takes nothing more, says so, and takes again after an ack", async (t) => {
  const { sender } = senderOf(t, [message("kept")], 2);
  sender.setOnline(true);
  const first = sender.send(message("1"));
  await assert.rejects(sender.send(message("2")), { code: "rate_limited" });
  sender.acked(ack("1", 1));
  await first;
  sender.send(message("2")).catch(() => undefined);
  assert.equal(sender.size(), 2);
});
