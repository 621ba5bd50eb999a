// The router between a real broker and a real history; devices connect at the broker itself, as behind EMQX.
import assert from "node:assert/strict";
import { test } from "node:test";
import { jetstream } from "@nats-io/jetstream";
import { type Message, streams } from "@parley/protocol";
import { connectNats } from "@parley/runtime";
import { eventually, serviceContext, startTestCluster } from "@parley/testkit";
import { connectDevice, type Device, text } from "./pairs.ts";

const parts = ["mosquitto", "redis-server", "nats-server", "history", "api", "router"] as const;

test("a message is acknowledged to its device, and delivered to every device of both users as its sender wrote it", async (t) => {
  const cluster = await startTestCluster(t, { parts });
  const [alice, tablet, bob] = (await Promise.all(
    ["alice:phone", "alice:tablet", "bob:web"].map((clientId) => connectDevice(t, cluster, clientId)),
  )) as [Device, Device, Device];
  await alice.send('{"id":"1", "to":"user/bob","content":{"type":"text","data":"hi"},"from":"eve","mine":[1,{"x":2}]}');
  await eventually(() => alice.answers.length === 1 && bob.messages.length === 1 && tablet.messages.length === 1);
  const [message] = bob.messages as (Message & { mine: unknown })[];
  assert.deepEqual(alice.answers[0], { type: "ack", id: "1", conv: "p2p/alice/bob", seq: 1, ts: message?.ts });
  assert.equal(message?.from, "alice");
  assert.equal(message?.device, "alice:phone");
  assert.deepEqual(message?.mine, [1, { x: 2 }]);
  assert.deepEqual(tablet.answers, []);
});

test("a packet that was in hand when its router died again and again goes to the dead letter, and others go on", async (t) => {
  const cluster = await startTestCluster(t, { parts, env: { PARLEY_CRASH_AT: "before-append:1" } });
  const alice = await connectDevice(t, cluster, "alice:phone");
  await alice.send(text("poison", "user/alice"));
  await eventually(
    () => alice.answers.some(({ type, id, code }) => type === "nack" && id === null && code === "internal"),
    {
      timeoutMs: 60_000,
    },
  );
  assert.ok(cluster.restarts("router") >= 3);
  const nats = await connectNats({ url: cluster.wiring.urls.nats, name: "test", log: serviceContext("test").log });
  t.after(() => nats.close());
  const consumer = await jetstream(nats).consumers.get(streams.dead.name);
  const letter = (await consumer.next({ expires: 5_000 }))?.json<{ topic: string; payload: string }>();
  assert.match(Buffer.from(letter?.payload ?? "", "base64").toString(), /poison/);
});
