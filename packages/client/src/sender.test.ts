import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "@parley/testkit";
import type { OutgoingMessage } from "./outbox.ts";
import type { Ack } from "./promises.ts";
import { startSender } from "./sender.ts";

const message = (id: string): OutgoingMessage => ({
  id,
  conv: "p2p/a/b",
  packet: { id, to: "user/b", content: { type: "text" } },
});
const ack = (id: string, seq: number): Ack => ({ id, conv: "p2p/a/b", seq, ts: 1 });

const turn = () => new Promise((resolve) => setImmediate(resolve));

interface Options {
  kept?: OutgoingMessage[];
  maxUnsent?: number;
  /** false: nothing is kept */
  store?: false;
  put?: (message: OutgoingMessage) => Promise<void>;
  ackTimeoutMs?: number;
}

function senderOf(t: TestContext, { kept = [], put, store: keeps, ...options }: Options = {}) {
  const published: string[] = [];
  const told: string[] = [];
  const store = new Map(kept.map((one) => [one.id, one]));
  let refuse: number | undefined;
  const sender = startSender({
    kept,
    ...options,
    store:
      keeps === false
        ? undefined
        : {
            load: async () => [],
            put: put ?? (async (one) => void store.set(one.id, one)),
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
  await turn();
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
  await turn();
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
  await turn();
  assert.deepEqual(published, ["1"]);
  sender.acked(ack("1", 1));
  await sent;
  assert.equal(store.size, 0);
});

test("what the store had kept goes out first, in order", async (t) => {
  const { sender, published, told } = senderOf(t, { kept: [message("1"), message("2")] });
  void sender.send(message("3")).catch(() => {});
  await turn();
  sender.setOnline(true);
  assert.deepEqual(published, ["1", "2", "3"]);
  sender.acked(ack("1", 1));
  assert.deepEqual(told, ["sent 1"]);
});

test("the same message again is one more listener; another one with its id is refused, and disturbs nothing", async (t) => {
  const { sender, published } = senderOf(t);
  sender.setOnline(true);
  const first = sender.send(message("1"));
  const again = sender.send(message("1"));
  const other = { ...message("1"), packet: { ...message("1").packet, to: "user/c" } };
  await assert.rejects(sender.send(other), { code: "conflict" });
  await turn();
  sender.acked(ack("1", 1));
  assert.deepEqual([(await first).seq, (await again).seq, published], [1, 1, ["1"]]);
});

test("a message that its store cannot keep is refused, has not gone out and never will", async (t) => {
  const kept = Promise.withResolvers<void>();
  const { sender, published } = senderOf(t, { put: ({ id }) => (id === "1" ? kept.promise : Promise.resolve()) });
  sender.setOnline(true);
  const sent = sender.send(message("1"));
  sender.send(message("2")).catch(() => {});
  await turn();
  assert.deepEqual(published, [], "the one behind it waits for it");
  kept.reject(new Error("disk full"));
  await assert.rejects(sent, { code: "unavailable", message: /disk full/ });
  await turn();
  sender.setOnline(false);
  sender.setOnline(true);
  assert.deepEqual([...new Set(published)], ["2"]);
  assert.equal(sender.size(), 1);
});

test("a refusal is believed when no other copy of the message can be stored any more", async (t) => {
  const { sender, published } = senderOf(t, { ackTimeoutMs: 20 });
  const nack = { type: "nack" as const, id: "1", code: "not_member", message: "m" };
  sender.setOnline(true);
  let outcome = "open";
  sender.send(message("1")).then(
    () => (outcome = "stored"),
    () => (outcome = "refused"),
  );
  await turn();
  sender.setOnline(false);
  sender.setOnline(true);
  assert.equal(published.length, 2);
  sender.nacked(nack);
  await turn();
  assert.equal(outcome, "open", "the other copy may come after the room has us back");
  sender.nacked(nack);
  await turn();
  assert.equal(outcome, "refused");
});

test("when the answer to a copy is lost, one more copy settles it", async (t) => {
  const { sender, published } = senderOf(t, { ackTimeoutMs: 20 });
  const nack = { type: "nack" as const, id: "1", code: "not_member", message: "m" };
  sender.setOnline(true);
  const sent = sender.send(message("1"));
  await turn();
  sender.setOnline(false);
  sender.setOnline(true);
  sender.nacked(nack);
  await eventually(() => published.length >= 3);
  sender.nacked(nack);
  await assert.rejects(sent, { code: "not_member" });
});

test("what was kept and cannot be read is told as failed, and holds up nothing", async (t) => {
  const bad = { id: "bad", conv: "p2p/a/b", packet: { id: "bad", to: "user/b" } } as unknown as OutgoingMessage;
  const { sender, published, told } = senderOf(t, { kept: [bad, message("1")] });
  sender.setOnline(true);
  assert.deepEqual([published, told], [["1"], ["failed bad invalid_packet"]]);
});

test("the second word about a refusal, PUBACK and nack, is known as such", async (t) => {
  const { sender, refuseWith } = senderOf(t);
  sender.setOnline(true);
  refuseWith(0x99);
  await assert.rejects(sender.send(message("1")), { code: "invalid_packet" });
  assert.equal(sender.nacked({ type: "nack", id: "1", code: "invalid_packet", message: "m" }), true);
});

test("a broker that refuses the packet for its size breaks the promise; any other refusal is tried again", async (t) => {
  const { sender, refuseWith } = senderOf(t);
  sender.setOnline(true);
  refuseWith(149);
  await assert.rejects(sender.send(message("1")), { code: "too_large" });
  refuseWith(151);
  void sender.send(message("2")).catch(() => {});
  await turn();
  assert.equal(sender.size(), 1);
});

test("closing breaks no promise of a message that may still be stored", async (t) => {
  for (const options of [{}, { store: false as const }]) {
    const { sender, store } = senderOf(t, options);
    sender.setOnline(true);
    let settled = false;
    sender.send(message("1")).finally(() => (settled = true));
    await turn();
    sender.close();
    await turn();
    assert.equal(settled, false);
    assert.deepEqual([...store.keys()], options.store === false ? [] : ["1"]);
  }
});

test("closing without a store refuses what was never sent", async (t) => {
  const { sender } = senderOf(t, { store: false });
  const sent = sender.send(message("1"));
  sender.close();
  await assert.rejects(sent, { code: "unavailable", message: /closed before/ });
  assert.equal(sender.size(), 0);
});

test("an outbox that is full takes nothing more, says so, and takes again after an ack", async (t) => {
  const { sender } = senderOf(t, { kept: [message("kept")], maxUnsent: 2 });
  sender.setOnline(true);
  const first = sender.send(message("1"));
  await assert.rejects(sender.send(message("2")), { code: "rate_limited" });
  sender.acked(ack("1", 1));
  await first;
  sender.send(message("2")).catch(() => undefined);
  assert.equal(sender.size(), 2);
});

test("close resolves when the store has taken what it was told, also what it refused", async (t) => {
  const kept = Promise.withResolvers<void>();
  const { sender } = senderOf(t, { put: () => kept.promise });
  const refused = assert.rejects(sender.send(message("1")), { code: "unavailable" });
  let closed = false;
  const closing = sender.close().then(() => {
    closed = true;
  });
  await turn();
  assert.equal(closed, false);
  kept.reject(new Error("disk full"));
  await closing;
  await refused;
});
