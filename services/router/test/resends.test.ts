// Messages sent again: acknowledged with the seq they have, delivered as they are kept, and nobody waits for them.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Message } from "@parley/protocol";
import { eventually, startTestCluster } from "@parley/testkit";
import { connectDevice, text } from "./pairs.ts";

const parts = ["mosquitto", "redis-server", "nats-server", "history", "api", "router"] as const;

test("a resend of many large messages under other bodies is answered as a whole, and delivered as it was stored", async (t) => {
  const cluster = await startTestCluster(t, { parts });
  const [alice, bob] = await Promise.all([connectDevice(t, cluster, "alice:a"), connectDevice(t, cluster, "bob:a")]);
  const ids = Array.from({ length: 24 }, (_, index) => `large${index}`);
  const acks = () => alice.answers.filter(({ type }) => type === "ack");
  // Together more than twice as much as a reply may hold.
  for (const id of ids) await alice.send(text(id, "user/bob", "x".repeat(50_000)));
  await eventually(() => acks().length === ids.length && bob.messages.length === ids.length);
  await Promise.all(ids.map((id) => alice.send(text(id, "user/bob", "another body"))));
  await alice.send(text("next", "user/bob"));
  await eventually(() => acks().length === 2 * ids.length + 1 && bob.messages.length === 2 * ids.length + 1);
  assert.deepEqual(
    alice.answers.filter(({ type }) => type === "nack"),
    [],
  );
  const seqOf = new Map(
    acks()
      .slice(0, ids.length)
      .map(({ id, seq }) => [id, seq]),
  );
  for (const { id, seq } of acks().slice(ids.length, -1)) assert.equal(seq, seqOf.get(id));
  const again = bob.messages.slice(ids.length).filter(({ id }) => id !== "next");
  const data = (message: Message) => (message.content as { data?: string }).data;
  assert.ok(again.every((message) => data(message)?.length === 50_000));
});
