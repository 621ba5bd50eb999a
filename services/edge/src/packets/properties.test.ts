import assert from "node:assert/strict";
import { test } from "node:test";
import { writePacket } from "./packets.ts";
import { findTopicAlias } from "./properties.ts";

/** The properties of a PUBLISH to "t" with QoS 0 begin at byte 5 when its length takes one byte. */
function find(properties: object): string {
  const packet = { cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false, properties } as const;
  const bytes = writePacket(packet, 5);
  return findTopicAlias(bytes, 5, bytes.length);
}

test("a Topic Alias is found behind every other property, and not where there is none", () => {
  const others = {
    payloadFormatIndicator: true,
    messageExpiryInterval: 60,
    contentType: "t",
    responseTopic: "r",
    correlationData: Buffer.from("#"),
    userProperties: { "#": ["#", ""] },
  };
  assert.equal(find({}), "none");
  assert.equal(find(others), "none");
  assert.equal(find({ ...others, topicAlias: 1 }), "present");
  assert.equal(find({ topicAlias: 1 }), "present");
});

test("what is no list of a PUBLISH's properties is malformed", () => {
  const wrong = [
    [5, 1, 0],
    [0x80],
    [0x80, 0x80, 0x80, 0x80, 1],
    [2, 0x11, 0],
    [1, 0x03],
    [3, 0x03, 0, 1],
    [2, 0x02, 0],
    [4, 0x26, 0, 1, 0],
    [1, 0x23],
    [2, 0x0b, 0x80],
  ];
  for (const bytes of wrong)
    assert.equal(findTopicAlias(Buffer.from(bytes), 0, bytes.length), "malformed", String(bytes));
});
