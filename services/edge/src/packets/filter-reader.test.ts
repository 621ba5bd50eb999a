import assert from "node:assert/strict";
import { test } from "node:test";
import mqtt, { type Packet } from "mqtt-packet";
import { openFilterReader } from "./filter-reader.ts";
import type { Version } from "./packets.ts";

const topics = ["a", "b/#", "ü".repeat(300), "x".repeat(65_535), "last"];

/** The packet behind its fixed header. */
function bodyOf(packet: Packet, version: Version): Buffer {
  const bytes = mqtt.generate(packet, { protocolVersion: version });
  let at = 1;
  while (bytes[at]! >= 0x80) at += 1;
  return bytes.subarray(at + 1);
}

for (const version of [4, 5] as const)
  for (const isSubscribe of [true, false])
    for (const size of [1, 7, 1000, 100_000])
      test(`filters are read whole and counted, MQTT ${version}, ${isSubscribe ? "" : "UN"}SUBSCRIBE cut every ${size} bytes`, () => {
        const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const }));
        const properties = version === 5 ? { properties: { userProperties: { a: "b".repeat(500) } } } : {};
        const packet: Packet = isSubscribe
          ? { cmd: "subscribe", messageId: 515, subscriptions, ...properties }
          : { cmd: "unsubscribe", messageId: 515, unsubscriptions: topics, ...properties };
        const body = bodyOf(packet, version);
        const heard: string[] = [];
        const take = { isSubscribe, version, onFilter: (filter: Buffer) => heard.push(filter.toString()) };
        const reader = openFilterReader(take);
        for (let at = 0; at < body.length; at += size) reader.take(body.subarray(at, at + size));
        assert.deepEqual([reader.packetId(), reader.end(), heard], [515, topics.length, topics]);
        const cut = openFilterReader(take);
        cut.take(body.subarray(0, -1));
        assert.equal(cut.end(), undefined);
      });

test("a property length of more than four bytes is malformed: nothing behind it is read", () => {
  for (const bytes of [4, 5, 160, 2000]) {
    const reader = openFilterReader({ isSubscribe: true, version: 5 });
    reader.take(Buffer.concat([Buffer.from([0, 1]), Buffer.alloc(bytes, 0x80), Buffer.from([0, 0, 1, 97, 0])]));
    reader.take(Buffer.from([0, 1, 97, 0]));
    assert.equal(reader.end(), undefined, `${bytes} bytes`);
  }
});
