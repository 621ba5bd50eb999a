import assert from "node:assert/strict";
import { test } from "node:test";
import mqttPacket, { type IPublishPacket, type Packet } from "mqtt-packet";
import { encodeProperties } from "./properties.ts";
import { publishBytes, WriteBuffer } from "./write-buffer.ts";

const none = new Uint8Array(0);

function parse(bytes: Uint8Array): Packet[] {
  const packets: Packet[] = [];
  const parser = mqttPacket.parser({ protocolVersion: 5 });
  parser.on("packet", (packet) => packets.push(packet));
  parser.on("error", (error) => assert.fail(error));
  assert.equal(parser.parse(Buffer.from(bytes)), 0, "bytes left over");
  return packets;
}

test("mqtt-packet reads every PUBLISH as it was meant, at every width of its lengths", () => {
  const topics = ["a", "im/dn/älice/✔", `t/${"x".repeat(65_533)}`];
  const sizes = [0, 1, 100, 110, 120, 127, 128, 16_300, 16_384, 16_385, 65_536, 2_097_151, 2_100_000];
  const correlationData = Buffer.alloc(200, 7);
  const withProperties = {
    contentType: "té",
    responseTopic: "a/b",
    correlationData,
    messageExpiryInterval: 0x01020304,
  };
  for (const topic of topics) {
    for (const size of sizes) {
      for (const properties of [undefined, withProperties]) {
        const payload = Buffer.alloc(size, size);
        const packet = {
          topic,
          payload,
          properties: encodeProperties(properties),
          qos: 1,
          dup: size > 100,
          id: 513,
        } as const;
        const buffer = new WriteBuffer();
        buffer.publish(packet);
        const bytes = Buffer.concat(buffer.take());
        assert.equal(bytes.length, publishBytes(packet));
        const [read] = parse(bytes) as [IPublishPacket];
        assert.equal(read.topic, topic);
        assert.ok(payload.equals(read.payload as Buffer));
        assert.deepEqual({ ...read.properties }, { ...properties });
        assert.deepEqual([read.qos, read.dup, read.retain, read.messageId], [1, size > 100, false, 513]);
      }
    }
  }
});

test("many packets of one turn are one piece of memory, and come out in order", () => {
  const buffer = new WriteBuffer();
  for (let id = 1; id <= 300; id++) {
    buffer.publish({ topic: `t/${id}`, payload: Buffer.from(`${id}`), properties: none, qos: 1, dup: false, id });
    buffer.publish({ topic: `z/${id}`, payload: none, properties: none, qos: 0, dup: false, id: 0 });
    buffer.puback(id);
  }
  const chunks = buffer.take();
  assert.equal(chunks.length, 1);
  const packets = parse(Buffer.concat(chunks));
  assert.equal(packets.length, 900);
  assert.deepEqual(
    packets.filter((packet) => packet.cmd === "puback").map((packet) => packet.messageId),
    Array.from({ length: 300 }, (_, index) => index + 1),
  );
  assert.equal(buffer.length, 0);
});

test("what was taken keeps its bytes while more is encoded", () => {
  const buffer = new WriteBuffer();
  const taken: Uint8Array[] = [];
  for (let id = 1; id <= 2_000; id++) {
    buffer.publish({ topic: "t", payload: Buffer.alloc(1_000, id), properties: none, qos: 1, dup: false, id });
    if (id % 7 === 0) taken.push(...buffer.take());
  }
  taken.push(...buffer.take());
  const packets = parse(Buffer.concat(taken)) as IPublishPacket[];
  assert.equal(packets.length, 2_000);
  for (const { messageId = 0, payload } of packets) assert.ok(Buffer.alloc(1_000, messageId).equals(payload as Buffer));
});

test("memory that still waits to be taken is not written again", () => {
  const buffer = new WriteBuffer();
  buffer.puback(1);
  buffer.recycle();
  buffer.puback(2);
  assert.deepEqual(
    parse(Buffer.concat(buffer.take())).map((packet) => packet.messageId),
    [1, 2],
  );
});
