import assert from "node:assert/strict";
import { test } from "node:test";
import { writePacket } from "./packets.ts";
import { checkProperties, type Place, withoutAlias } from "./properties.ts";

/** The properties of a PUBLISH to "t" with QoS 0 begin at byte 5 when its length takes one byte. */
function publishWith(properties: object): Buffer {
  return writePacket({ cmd: "publish", topic: "t", payload: "", qos: 0, dup: false, retain: false, properties }, 5);
}

function aliasAtOf(bytes: Buffer): number | undefined {
  const found = checkProperties(bytes, 5, bytes.length, "publish");
  assert.ok("next" in found && found.next === bytes.length);
  return found.aliasAt;
}

/** The reason's code, or 0 when nothing is wrong. */
function codeOf(bytes: number[], place: Place): number {
  const found = checkProperties(Buffer.from(bytes), 0, bytes.length, place);
  return "code" in found ? found.code : 0;
}

const others = {
  payloadFormatIndicator: true,
  messageExpiryInterval: 60,
  contentType: "t",
  responseTopic: "r",
  correlationData: Buffer.from("#"),
  userProperties: { "#": ["#", ""] },
};

test("a Topic Alias is found behind every other property, and not where there is none", () => {
  assert.equal(aliasAtOf(publishWith({})), undefined);
  assert.equal(aliasAtOf(publishWith(others)), undefined);
  for (const properties of [{ ...others, topicAlias: 7 }, { topicAlias: 7 }]) {
    const bytes = publishWith(properties);
    assert.deepEqual([...bytes.subarray(aliasAtOf(bytes))].slice(0, 3), [0x23, 0, 7]);
  }
});

test("without their Topic Alias the other properties are what they would have been", () => {
  for (const rest of [{}, others]) {
    const bytes = publishWith({ ...rest, topicAlias: 7 });
    const parts = withoutAlias(bytes, 5, aliasAtOf(bytes), bytes.length);
    assert.deepEqual(Buffer.concat(parts), publishWith(rest).subarray(5));
  }
});

test("what is no list of properties is malformed", () => {
  const wrong = [
    [5, 1, 0],
    [0x80],
    [0x80, 0x80, 0x80, 0x80, 1],
    [2, 0x7f, 0],
    [1, 0x03],
    [3, 0x03, 0, 1],
    [2, 0x02, 0],
    [4, 0x26, 0, 1, 0],
    [1, 0x23],
    [4, 0x03, 0, 1, 0],
    [4, 0x03, 0, 1, 0xff],
    [6, 0x03, 0, 3, 0xed, 0xa0, 0x80],
    // A control character, in one byte and in two, and a non-character: a broker would close for them without a word.
    [4, 0x03, 0, 1, 0x1f],
    [5, 0x03, 0, 2, 0xc2, 0x85],
    [6, 0x03, 0, 3, 0xef, 0xbf, 0xbe],
    [7, 0x26, 0, 1, 0x61, 0, 1, 0x7f],
  ];
  for (const bytes of wrong) assert.equal(codeOf(bytes, "publish"), 0x81, String(bytes));
});

test("a property that stands twice, elsewhere than it may, or has a value that it must not have is a protocol error", () => {
  const wrong: [Place, number[]][] = [
    ["connect", [6, 0x21, 0, 1, 0x21, 0, 1]],
    ["connect", [6, 0x22, 0, 0, 0x22, 0, 0]],
    ["connect", [3, 0x21, 0, 0]],
    ["connect", [5, 0x27, 0, 0, 0, 0]],
    ["connect", [2, 0x17, 2]],
    ["connect", [3, 0x23, 0, 1]],
    ["publish", [2, 0x0b, 1]],
    ["publish", [2, 0x01, 2]],
    ["publish", [4, 0x08, 0, 1, 0x23]],
    ["subscribe", [2, 0x0b, 0]],
    ["publish", [3, 0x13, 0, 1]],
  ];
  for (const [place, bytes] of wrong) assert.equal(codeOf(bytes, place), 0x82, `${place} ${bytes}`);
  assert.equal(codeOf([10, 0x26, 0, 1, 0x61, 0, 0, 0x26, 0, 0, 0], "publish"), 0x81);
  assert.equal(codeOf([11, 0x26, 0, 1, 0x61, 0, 0, 0x26, 0, 0, 0, 0], "publish"), 0);
});
