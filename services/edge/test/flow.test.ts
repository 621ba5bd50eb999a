// Who does not read stops who writes, and costs the edge no memory.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { eventually, startServers } from "@parley/testkit";
import { encode, openSession, type RawClient } from "./raw-client.ts";
import { cached, connectDevice, deny, newClientId, ok, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const mebibyte = 1024 * 1024;

/** Bytes held by buffers in this process: the edge's and the test's. */
function heldBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

/** Resolves with what the client could not get rid of, once that stops changing. */
async function stuckBytes({ socket }: RawClient): Promise<number> {
  let before = -1;
  let same = 0;
  return eventually(
    () => {
      same = socket.writableLength === before ? same + 1 : 0;
      before = socket.writableLength;
      return same > 20 ? before : undefined;
    },
    { timeoutMs: 60_000 },
  );
}

test("a device that does not read is not read for: what is for it waits at the broker, and arrives when it reads", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const reader = await openSession(t, edge.tcp, 4, newClientId());
  reader.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic: "flood", qos: 1 }] });
  await reader.next();
  reader.socket.pause();
  const writer = await connectDevice(t, edge, { protocolVersion: 4 });
  // 10 MB: the broker keeps 12 MiB for one session, and the edge may keep no such share of it.
  const count = 100;
  const payload = Buffer.alloc(100_000);
  const before = heldBytes();
  for (let index = 0; index < count; index++) {
    payload.writeUInt32BE(index);
    await writer.publishAsync("flood", payload, { qos: 1 });
  }
  // Buffers are given back some time after they are collected.
  await eventually(() => heldBytes() - before < 8 * mebibyte);
  reader.socket.resume();
  for (let index = 0; index < count; index++) {
    const packet = (await reader.next()) as unknown as { payload: Buffer; messageId: number };
    assert.equal(packet.payload.readUInt32BE(), index);
    // The broker has 4 MiB under way to one session, and sends the rest as they are confirmed.
    reader.send({ cmd: "puback", messageId: packet.messageId });
  }
});

test("a device that reads nothing for long is closed, and one that reads slowly is not", async (t) => {
  const { edge } = await startBoth(t, mosquitto, { EDGE_UNREAD_MS: "1500" });
  const readers = await Promise.all(
    ["stuck", "slow"].map(async (topic) => {
      const reader = await openSession(t, edge.tcp, 4, newClientId());
      reader.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos: 1 }] });
      await reader.next();
      return reader;
    }),
  );
  for (const { socket } of readers) socket.pause();
  const slow = setInterval(() => readers[1]?.socket.read(1_000_000), 100);
  t.after(() => clearInterval(slow));
  const writer = await connectDevice(t, edge, { protocolVersion: 4 });
  for (let index = 0; index < 200; index++)
    for (const topic of ["stuck", "slow"]) await writer.publishAsync(topic, Buffer.alloc(100_000), { qos: 1 });
  await eventually(async () => (await edge.metric("edge_connections")) === 2);
  assert.equal(readers[1]?.socket.closed, false);
});

test("a broker that does not read stops the device that writes, and all arrives once it reads", async (t) => {
  const { mosquitto: broker } = await startServers(t, { mosquitto: true });
  const { hooks, edge } = await startBoth(t, broker);
  hooks.answer(() => cached(60, ok));
  const writer = await openSession(t, edge.tcp, 4, newClientId());
  const publish = (messageId: number) =>
    encode(
      { cmd: "publish", topic: "t", payload: Buffer.alloc(100_000), qos: 1, dup: false, retain: false, messageId },
      4,
    );
  writer.send(publish(1));
  await writer.next();
  broker.pause();
  t.after(() => broker.resume());
  const count = 400;
  for (let id = 2; id <= count; id++) writer.send(publish(id));
  const stuck = await stuckBytes(writer);
  assert.ok(stuck > 20 * mebibyte, `only ${stuck} bytes were not taken`);
  broker.resume();
  for (let id = 2; id <= count; id++) assert.equal((await writer.next()).messageId, id);
});

test("a device that takes no refusals is not read any further", async (t) => {
  const { hooks, edge } = await startBoth(t, mosquitto);
  hooks.answer((hook) => (hook.startsWith("auth_on_publish") ? cached(60, deny) : ok));
  const writer = await openSession(t, edge.tcp, 5, newClientId());
  writer.socket.pause();
  const one = encode({ cmd: "publish", topic: "t", payload: "", qos: 1, dup: false, retain: false, messageId: 1 }, 5);
  const many = Buffer.alloc(one.length * 100_000, one);
  for (let round = 0; round < 20; round++) writer.send(many);
  assert.ok((await stuckBytes(writer)) > mebibyte);
  writer.socket.destroy();
  await eventually(async () => (await edge.metric("edge_connections")) === 0);
});

test("a packet that never ends takes no more memory than has come of it", async (t) => {
  const { edge } = await startBoth(t, mosquitto, { EDGE_MAX_PACKET_BYTES: "200000000" });
  const before = heldBytes();
  const clients = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = await openSession(t, edge.tcp, 4, newClientId());
      client.send([0x30, 0x80, 0x80, 0x80, 0x40, 0, 1, 0x61]);
      return client;
    }),
  );
  await eventually(() => heldBytes() - before < 8 * mebibyte);
  for (const client of clients) client.socket.destroy();
});
