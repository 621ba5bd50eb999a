import assert from "node:assert/strict";
import { test } from "node:test";
import mqttPacket, { type IPublishPacket } from "mqtt-packet";
import { testDesk } from "../../test/desk.ts";
import { Framing } from "../packets/framing.ts";
import type { Version } from "../packets/packets.ts";
import { decideTreePublish } from "./publish.ts";
import { openTreeDevice } from "./tree-device.ts";

const prefix = "im/xu/0/alice/alice:1/";

/** What becomes of each packet of a device, one after the other: the topic that the broker gets with the payload, or a refusal. */
function decide(version: Version, packets: Buffer[]): (string | undefined)[] {
  const desk = testDesk({ clientId: "alice:1", username: "alice", version, hasTree: true });
  const ways = { toDevice: () => {}, toBroker: () => {}, close: () => {}, tell: () => Promise.resolve(true) };
  const grant = { mountpoint: "im/x/0/alice/alice:1/", subscribesAll: false, filters: undefined, isEphemeral: false };
  const tree = openTreeDevice(grant, { cmd: "connack", sessionPresent: false }, desk, ways);
  const frame = new Framing(268_435_460);
  return packets.map((packet) => {
    frame.push(packet);
    assert.equal(frame.next(), "packet");
    const { forward, close } = decideTreePublish(frame, tree);
    if (forward === undefined) return close === undefined ? undefined : "closed";
    const { topic, payload, qos, messageId, retain, dup, properties } = read(forward, version);
    const rest = properties?.contentType === undefined ? "" : ` ${properties.contentType}`;
    assert.equal(retain, false);
    return `${topic.slice(prefix.length)} ${payload.length} ${qos}${dup ? " dup" : ""} ${messageId}${rest}`;
  });
}

function read(bytes: Buffer, protocolVersion: Version): IPublishPacket {
  let found: mqttPacket.Packet | undefined;
  mqttPacket
    .parser({ protocolVersion })
    .on("packet", (packet) => {
      assert.equal(found, undefined);
      found = packet;
    })
    .parse(bytes);
  assert.equal(found?.cmd, "publish");
  assert.ok((found as IPublishPacket).topic.startsWith(prefix));
  return found as IPublishPacket;
}

for (const version of [4, 5] as const)
  test(`a packet on the topic of the one before goes where that one went, and any other is looked at anew, MQTT ${version}`, () => {
    const publish = (topic: string, bytes: number, rest: Partial<IPublishPacket> = {}) => {
      const packet = { cmd: "publish" as const, topic, payload: Buffer.alloc(bytes, "x"), qos: 1 as const, dup: false };
      return mqttPacket.generate({ ...packet, retain: false, messageId: 7, ...rest }, { protocolVersion: version });
    };
    const typed = version === 5 ? { properties: { contentType: "a/b" } } : {};
    const packets = [
      publish("room/1", 3),
      publish("room/1", 200),
      publish("room/1", 20_000, { dup: true }),
      publish("room/1", 1, { qos: 0 }),
      publish("room/1", 1, { qos: 2, messageId: 8 }),
      publish("room/1", 1, { retain: true }),
      publish("room/1", 2, typed),
      publish("room/12", 4),
      publish("room/1", 5),
      publish("room", 6),
      publish("röm/é", 7),
      publish("röm/é", 7),
    ];
    const wrong = mqttPacket.generate(
      { cmd: "publish", topic: "room/x", payload: "", qos: 1, dup: false, retain: false, messageId: 9 },
      { protocolVersion: version },
    );
    wrong[wrong.indexOf("x")] = "#".charCodeAt(0);
    assert.deepEqual(decide(version, [...packets, wrong, publish("room", 1)]), [
      "room/1 3 1 7",
      "room/1 200 1 7",
      "room/1 20000 1 dup 7",
      "room/1 1 1 65535",
      "room/1 1 2 8",
      "room/1 1 1 7",
      `room/1 2 1 7${version === 5 ? " a/b" : ""}`,
      "room/12 4 1 7",
      "room/1 5 1 7",
      "room 6 1 7",
      "röm/é 7 1 7",
      "röm/é 7 1 7",
      "closed",
      "room 1 1 7",
    ]);
  });
