import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTopic, encodeProperties } from "./properties.ts";

test("a topic the broker would end the connection over is refused before it is queued", () => {
  for (const topic of ["", "a/+", "a/#", "a\u0000", "a\nb", "\ud800", "\ufffe", "é".repeat(32_768)]) {
    assert.throws(() => checkTopic(topic), { code: "invalid_packet" }, JSON.stringify(topic.slice(0, 10)));
  }
  for (const topic of ["a", "/", "$SYS/x", "im/dn/ü😀/m", "é".repeat(32_767)]) checkTopic(topic);
});

test("a bad property is refused by its name", () => {
  const long = "x".repeat(65_536);
  const bad = [
    [{ contentType: "a\u0007" }, /contentType/],
    [{ contentType: long }, /contentType/],
    [{ responseTopic: "a/#" }, /topic/],
    [{ correlationData: Buffer.alloc(65_536) }, /correlationData/],
    [{ userProperties: [["a\u0000", "b"]] }, /userProperties/],
    [{ userProperties: [["a", "b\nc"]] }, /userProperties/],
    [{ userProperties: [["a", long]] }, /userProperties/],
    [{ messageExpiryInterval: -1 }, /messageExpiryInterval/],
    [{ messageExpiryInterval: 1.5 }, /messageExpiryInterval/],
    [{ messageExpiryInterval: 2 ** 32 }, /messageExpiryInterval/],
  ] as const;
  for (const [properties, message] of bad) {
    assert.throws(() => encodeProperties(properties), { code: "invalid_packet", message });
  }
});

test("user properties keep their order, and names that come again", () => {
  const encoded = encodeProperties({
    userProperties: [
      ["EP", "a"],
      ["Mode", "é"],
      ["EP", ""],
    ],
  });
  const hex = "26000245500001612600044d6f64650002c3a926000245500000";
  assert.equal(Buffer.from(encoded).toString("hex"), hex);
});
