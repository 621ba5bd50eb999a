import assert from "node:assert/strict";
import { test } from "node:test";
import mqttPacket, { type IPublishPacket } from "mqtt-packet";
import { testDesk } from "../../test/desk.ts";
import { Framing } from "../packets/framing.ts";
import type { Version } from "../packets/packets.ts";
import { passTreeDownlink } from "./downlink.ts";
import { openTreeDevice } from "./tree-device.ts";

const mountpoint = "im/x/0/alice/alice:1/";

/** What a device of that version gets of what the broker sends, `chunk` bytes at a time. */
function pass(version: Version, sent: Buffer, chunk: number) {
  const toDevice: Buffer[] = [];
  const toBroker: Buffer[] = [];
  const desk = testDesk({ clientId: "alice:1", username: "alice", version, hasTree: true });
  const tree = openTreeDevice(
    { mountpoint, subscribesAll: false, filters: undefined, isEphemeral: false },
    { cmd: "connack", sessionPresent: false },
    desk,
    {
      // A socket that is slow to write keeps what it was given as it was.
      toDevice: (bytes) => void toDevice.push(bytes),
      toBroker: (bytes) => void toBroker.push(bytes),
      close: () => {},
      tell: () => Promise.resolve(true),
    },
  );
  const own = [tree.packetIds.take()!, tree.packetIds.take()!];
  const frame = new Framing(268_435_460);
  for (let at = 0; at < sent.length; at += chunk) {
    frame.push(Buffer.from(sent.subarray(at, at + chunk)));
    assert.deepEqual(passTreeDownlink(frame, tree), { parted: false, broken: false });
  }
  return { toDevice: read(Buffer.concat(toDevice), version), toBroker: Buffer.concat(toBroker), desk, own };
}

function read(bytes: Buffer, protocolVersion: Version): mqttPacket.Packet[] {
  const packets: mqttPacket.Packet[] = [];
  const parser = mqttPacket.parser({ protocolVersion });
  parser.on("packet", (packet) => packets.push(packet));
  parser.on("error", (error) => assert.fail(error));
  parser.parse(bytes);
  return packets;
}

/** Remaining lengths on both sides of where their spelling grows, with the mountpoint and without. */
const sizes = [0, 1, 90, 100, 110, 127, 128, 150, 16_300, 16_383, 16_384, 16_400, 70_000, 2_097_120, 2_097_160];

for (const version of [4, 5] as const)
  test(`PUBLISHes of every size lose their mountpoint and nothing else, however they arrive, MQTT ${version}`, () => {
    const packets = sizes.map((size, index): IPublishPacket => {
      const qos = (index % 3) as 0 | 1 | 2;
      const properties = version === 5 && index % 2 === 1 ? { properties: { contentType: "text/plain" } } : {};
      const payload = Buffer.alloc(size, String(index % 10));
      const topic = `t/${"é".repeat(index)}`;
      const ids = qos === 0 ? {} : { messageId: index + 1 };
      return {
        cmd: "publish",
        topic,
        payload,
        qos,
        dup: qos > 0 && index % 2 === 0,
        retain: false,
        ...ids,
        ...properties,
      };
    });
    const write = (packet: mqttPacket.Packet) => mqttPacket.generate(packet, { protocolVersion: version });
    const pong = write({ cmd: "pingresp" });
    const sent = packets.flatMap((one) => [write({ ...one, topic: mountpoint + one.topic }), pong]);
    const expected = packets.flatMap((one) => [write(one), pong]);
    for (const chunk of [7, 1000, 65_536, 10_000_000]) {
      const { toDevice, toBroker, desk } = pass(version, Buffer.concat(sent), chunk);
      assert.deepEqual(toDevice, read(Buffer.concat(expected), version));
      assert.equal(toBroker.length, 0);
      const owed = packets.filter(({ qos }) => qos > 0).reduce((sum, one) => sum + write(one).length, 0);
      assert.equal(desk.owed.bytes(), owed);
    }
  });

test("what stands outside of the tree, or on its very mountpoint, is left out and confirmed", () => {
  const topics = ["im/x/0/alice/alice:2/t", mountpoint, "im/x/0/alice/alice:1", "t"];
  const sent = topics.flatMap((topic, index) =>
    ([0, 1, 2] as const).map((qos) => {
      const packet = { cmd: "publish", topic, payload: "x", qos, dup: false, retain: false } as const;
      return mqttPacket.generate(qos === 0 ? packet : { ...packet, messageId: 10 * qos + index });
    }),
  );
  const { toDevice, toBroker } = pass(4, Buffer.concat(sent), 1000);
  assert.deepEqual(toDevice, []);
  const answers = topics.flatMap((_, index) => [Buffer.of(0x40, 2, 0, 10 + index), Buffer.of(0x50, 2, 0, 20 + index)]);
  assert.deepEqual(toBroker, Buffer.concat(answers));
});

test("PUBACKs to the edge's own publishes are left out, the device's pass", () => {
  const ack = (messageId: number) => mqttPacket.generate({ cmd: "puback", messageId });
  // The edge counts from the highest id down.
  const { toDevice, own } = pass(4, Buffer.concat([ack(65_535), ack(65_533), ack(65_534), ack(65_535)]), 1000);
  assert.deepEqual(own, [65_535, 65_534]);
  assert.deepEqual(
    toDevice.map(({ messageId }) => messageId),
    [65_533, 65_535],
  );
});
