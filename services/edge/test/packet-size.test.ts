// What is larger than a device takes (Maximum Packet Size of MQTT 5): the device is told, and the broker waits for nothing.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually, startServers } from "@parley/testkit";
import type { IPublishPacket } from "mqtt-packet";
import { openSession, type RawClient } from "./raw-client.ts";
import { connectDevice, newClientId, startBoth } from "./surroundings.ts";

const { mosquitto } = await startServers({ after }, { mosquitto: true });

async function subscribed(client: RawClient, topic: string, qos: 0 | 1 | 2): Promise<void> {
  client.send({ cmd: "subscribe", messageId: 1, subscriptions: [{ topic, qos }] });
  assert.equal((await client.next()).cmd, "suback");
}

async function nextPublish(client: RawClient): Promise<IPublishPacket> {
  const packet = (await client.next()) as unknown as IPublishPacket;
  assert.equal(packet.cmd, "publish");
  return packet;
}

test("a message that is too large becomes a word about it, an answer its error, and smaller ones arrive as they are", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const reader = await openSession(t, edge.tcp, 5, newClientId(), { properties: { maximumPacketSize: 2048 } });
  await subscribed(reader, "size/a", 1);
  const writer = await connectDevice(t, edge);
  const large = "x".repeat(5000);
  const send = (packet: object, properties = {}) =>
    writer.publishAsync("size/a", JSON.stringify(packet), { qos: 1, properties });
  await send({ id: "small" });
  await send({ conv: "p2p/alice/bob", seq: 7, from: "bob", content: { data: large } });
  await send({ id: "7", result: { messages: [large] } }, { correlationData: Buffer.from("c7") });
  await send({ result: { messages: [large] } }, { correlationData: Buffer.from("c".repeat(3000)) });
  const read = async () => {
    const packet = await nextPublish(reader);
    reader.send({ cmd: "puback", messageId: packet.messageId! });
    return { packet, payload: JSON.parse(String(packet.payload)) };
  };
  assert.deepEqual((await read()).payload, { id: "small" });
  const { bytes, ...message } = (await read()).payload;
  assert.deepEqual(message, { type: "too_large", conv: "p2p/alice/bob", seq: 7 });
  assert.ok(bytes > 5000 && bytes < 5200);
  const answer = await read();
  assert.deepEqual([answer.payload.id, answer.payload.error.code], ["7", "too_large"]);
  assert.equal(answer.payload.error.details.maxBytes, 2048);
  assert.deepEqual(answer.packet.properties?.correlationData, Buffer.from("c7"));
  const bare = await read();
  assert.deepEqual([bare.payload.id, bare.payload.error.code], [undefined, "too_large"]);
  await send({ id: "after" });
  assert.deepEqual((await read()).payload, { id: "after" });
});

test("a device that takes no more than 100 bytes is told in fewer words that its request's answer is too large", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const reader = await openSession(t, edge.tcp, 5, newClientId(), { properties: { maximumPacketSize: 100 } });
  await subscribed(reader, "size/c", 1);
  const writer = await connectDevice(t, edge);
  await writer.publishAsync("size/c", JSON.stringify({ id: "7", result: { messages: ["x".repeat(5000)] } }), {
    qos: 1,
  });
  const { payload } = await nextPublish(reader);
  const { id, error } = JSON.parse(String(payload));
  assert.deepEqual([id, error.code, error.message], ["7", "too_large", "over 100 bytes"]);
});

for (const qos of [0, 1, 2] as const)
  test(`where not even that fits the broker is answered in the device's place, QoS ${qos}`, async (t) => {
    const { edge } = await startBoth(t, mosquitto);
    const properties = { maximumPacketSize: 60, receiveMaximum: 1 };
    const reader = await openSession(t, edge.tcp, 5, newClientId(), { properties });
    await subscribed(reader, `size/${qos}`, 2);
    const writer = await connectDevice(t, edge);
    // With a Receive Maximum of 1 the next one comes only when the one before has been answered.
    // (a PUBREL for a packet id that it does not know a client answers like any other).
    for (let count = 0; count < 3; count++) await writer.publishAsync(`size/${qos}`, "x".repeat(5000), { qos });
    await writer.publishAsync(`size/${qos}`, "small", { qos: 1 });
    for (let count = 0; count < (qos === 2 ? 3 : 0); count++) {
      const pubrel = await reader.next();
      assert.equal(pubrel.cmd, "pubrel");
      reader.send({ cmd: "pubcomp", messageId: pubrel.messageId!, reasonCode: 0x92 });
    }
    const { payload } = await nextPublish(reader);
    assert.equal(String(payload), "small");
  });

test("a device in pieces of the broker's reads still gets every packet in order", async (t) => {
  const { edge } = await startBoth(t, mosquitto);
  const reader = await openSession(t, edge.tcp, 5, newClientId(), { properties: { maximumPacketSize: 1000 } });
  await subscribed(reader, "size/c", 0);
  const writer = await connectDevice(t, edge);
  const count = 200;
  for (let seq = 1; seq <= count; seq++) {
    const content = seq % 3 === 0 ? "x".repeat(50_000) : "x";
    await writer.publishAsync("size/c", JSON.stringify({ conv: "room/r", seq, content }), { qos: 1 });
  }
  const got: number[] = [];
  await eventually(async () => {
    got.push(JSON.parse(String((await nextPublish(reader)).payload)).seq);
    return got.length === count;
  });
  assert.deepEqual(
    got,
    Array.from({ length: count }, (_, index) => index + 1),
  );
});
