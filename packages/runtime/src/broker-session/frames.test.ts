import assert from "node:assert/strict";
import { test } from "node:test";
import mqttPacket, { type Packet } from "mqtt-packet";
import { FrameReader, MalformedPacketError } from "./frames.ts";

const v5 = { protocolVersion: 5 } as const;

/** Every kind of packet a broker sends, with every width of the remaining length but the last. */
const packets: Packet[] = [
  { cmd: "connack", sessionPresent: true, reasonCode: 0, properties: { receiveMaximum: 5, serverKeepAlive: 9 } },
  { cmd: "suback", messageId: 3, granted: [1, 135] },
  publish("a", "", 0),
  publish("im/up/✔/é", "x".repeat(300), 1, { messageId: 65_535 }),
  publish("big", "y".repeat(20_000), 1, { messageId: 256, dup: true, retain: true }),
  publish("with", "z", 1, {
    messageId: 2,
    properties: { responseTopic: "r", correlationData: Buffer.from([0, 1]), userProperties: { k: ["v", "w"] } },
  }),
  { cmd: "puback", messageId: 9, reasonCode: 0 },
  { cmd: "puback", messageId: 10, reasonCode: 0x97 },
  { cmd: "puback", messageId: 11, reasonCode: 0x87, properties: { reasonString: "no" } },
  { cmd: "pingresp" },
  { cmd: "disconnect", reasonCode: 0x8e },
];

function publish(topic: string, payload: string, qos: 0 | 1, more: object = {}): Packet {
  return { cmd: "publish", topic, payload: Buffer.from(payload), qos, dup: false, retain: false, ...more };
}

type Seen = { cmd: string; [field: string]: unknown };

function reader(seen: Seen[]): FrameReader {
  return new FrameReader({
    publish: ({ payload, properties, ...rest }, messageId) => {
      const copy = { ...properties, correlationData: properties.correlationData?.toString("hex") };
      seen.push({ cmd: "publish", ...rest, messageId, payload: payload.toString(), properties: copy });
    },
    puback: (messageId, reasonCode) => seen.push({ cmd: "puback", messageId, reasonCode }),
    other: (packet) => seen.push({ ...packet, length: 0 }),
  });
}

/** What mqtt-packet itself makes of the same bytes. */
function byMqttPacket(bytes: Buffer): Seen[] {
  const seen: Seen[] = [];
  const parser = mqttPacket.parser(v5);
  parser.on("packet", (packet) => {
    if (packet.cmd === "publish") {
      const { cmd, topic, qos, dup, retain, messageId = 0 } = packet;
      const properties = { ...packet.properties, correlationData: packet.properties?.correlationData?.toString("hex") };
      seen.push({ cmd, topic, qos, dup, retain, messageId, payload: packet.payload.toString(), properties });
    } else if (packet.cmd === "puback")
      seen.push({ cmd: "puback", messageId: packet.messageId, reasonCode: packet.reasonCode });
    else seen.push({ ...packet, length: 0 });
  });
  parser.parse(bytes);
  return seen;
}

const bytes = Buffer.concat(packets.map((packet) => mqttPacket.generate(packet, v5)));
const expected = byMqttPacket(bytes);

test("what is read by hand is what mqtt-packet reads", () => {
  const seen: Seen[] = [];
  reader(seen).push(bytes);
  assert.equal(seen.length, packets.length);
  assert.deepEqual(seen, expected);
});

test("the packets are the same when the bytes are split anywhere", () => {
  for (let at = 1; at < bytes.length; at++) {
    const seen: Seen[] = [];
    const frames = reader(seen);
    frames.push(bytes.subarray(0, at));
    frames.push(bytes.subarray(at));
    assert.equal(seen.length, expected.length, `split at ${at}`);
    if (at % 97 === 0 || at < 600 || at > bytes.length - 200) assert.deepEqual(seen, expected, `split at ${at}`);
  }
});

test("the packets are the same when every byte comes alone", () => {
  const seen: Seen[] = [];
  const frames = reader(seen);
  for (const byte of bytes) frames.push(Buffer.from([byte]));
  assert.deepEqual(seen, expected);
});

test("what MQTT does not allow is a MalformedPacketError and nothing else", () => {
  const bad = {
    "remaining length of five bytes": [0x30, 0x80, 0x80, 0x80, 0x80, 0x01],
    "topic longer than the packet": [0x30, 0x03, 0x00, 0x09, 0x61],
    "PUBLISH of QoS 3": [0x36, 0x06, 0x00, 0x01, 0x61, 0x00, 0x01, 0x00],
    "PUBLISH of QoS 2": [0x34, 0x06, 0x00, 0x01, 0x61, 0x00, 0x01, 0x00],
    "PUBLISH cut before its packet id": [0x32, 0x04, 0x00, 0x01, 0x61, 0x00],
    "PUBLISH without properties": [0x32, 0x05, 0x00, 0x01, 0x61, 0x00, 0x01],
    "PUBACK without a packet id": [0x40, 0x01, 0x00],
    "PUBACK with flags": [0x41, 0x02, 0x00, 0x01],
    "reserved packet type": [0x00, 0x00],
  };
  for (const [name, bytes] of Object.entries(bad)) {
    assert.throws(() => reader([]).push(Buffer.from(bytes)), MalformedPacketError, name);
  }
});

test("random bytes end in packets or a MalformedPacketError", () => {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state >>> 16;
  };
  for (let round = 0; round < 20_000; round++) {
    const length = 2 + (random() % 40);
    const noise = Buffer.from(Array.from({ length }, () => random() & 0xff));
    if (round % 2 === 0) noise[1] = length - 2;
    try {
      reader([]).push(noise);
    } catch (error) {
      assert.ok(error instanceof MalformedPacketError, `${noise.toString("hex")}: ${error}`);
    }
  }
});
