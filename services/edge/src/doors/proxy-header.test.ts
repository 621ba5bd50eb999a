import assert from "node:assert/strict";
import { test } from "node:test";
import { readProxyHeader } from "./proxy-header.ts";

const signature = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const header = (command: number, family: number, body: number[], length = body.length) =>
  Buffer.from([...signature, command, family, length >> 8, length & 0xff, ...body]);
const ipv4 = [203, 0, 113, 9, 10, 0, 0, 1, 0x12, 0x67, 0x07, 0x5b];
const ipv6 = [
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0x0a],
  ...[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  ...[0x12, 0x67, 0x07, 0x5b],
];
const tlv = [0x02, 0x00, 0x03, 0x61, 0x2e, 0x62];

test("a header says the client's address and port, IPv4, IPv6 and IPv4 as IPv6, whatever else it holds", () => {
  const source = { address: "203.0.113.9", port: 4711 };
  assert.deepEqual(readProxyHeader(header(0x21, 0x11, ipv4)), { length: 28, source });
  assert.deepEqual(readProxyHeader(header(0x21, 0x11, [...ipv4, ...tlv])), { length: 34, source });
  const long = { address: "2001:db8:1:2:0:0:0:a", port: 4711 };
  assert.deepEqual(readProxyHeader(header(0x21, 0x21, [...ipv6, ...tlv])), { length: 58, source: long });
  const mapped = [...Array(10).fill(0), 0xff, 0xff, 203, 0, 113, 9, ...ipv6.slice(16)];
  assert.deepEqual(readProxyHeader(header(0x21, 0x21, mapped)), { length: 52, source });
});

test("a connection of the proxy's own, or of no known kind, has no address but the proxy's", () => {
  assert.deepEqual(readProxyHeader(header(0x20, 0x00, [])), { length: 16 });
  assert.deepEqual(readProxyHeader(header(0x20, 0x11, ipv4)), { length: 28 });
  assert.deepEqual(readProxyHeader(header(0x21, 0x00, tlv)), { length: 22 });
});

test("a header is incomplete up to its last byte, and what follows it is not its own", () => {
  const whole = header(0x21, 0x21, [...ipv6, ...tlv]);
  for (let bytes = 0; bytes < whole.length; bytes++)
    assert.equal(readProxyHeader(whole.subarray(0, bytes)), "incomplete", `${bytes} bytes`);
  const found = readProxyHeader(Buffer.concat([whole, Buffer.from([0x10, 0x00])]));
  assert.equal(typeof found === "object" && found.length, whole.length);
});

test("what is no header is told at its first wrong byte, and one over 536 bytes before it has come", () => {
  for (let at = 0; at < signature.length; at++) {
    const wrong = header(0x21, 0x11, ipv4);
    wrong[at]! ^= 1;
    assert.equal(readProxyHeader(wrong.subarray(0, at + 1)), "malformed", `byte ${at}`);
  }
  const cases = {
    "version 1": header(0x11, 0x11, ipv4),
    "no known command": header(0x22, 0x11, ipv4),
    UDP: header(0x21, 0x12, ipv4),
    "a UNIX socket": header(0x21, 0x31, Array(216).fill(0)),
    "too short for IPv4": header(0x21, 0x11, ipv4.slice(0, 11)),
    "too short for IPv6": header(0x21, 0x21, ipv6.slice(0, 35)),
    "too long": header(0x21, 0x11, [], 521),
  };
  for (const [what, bytes] of Object.entries(cases)) assert.equal(readProxyHeader(bytes), "malformed", what);
  assert.equal(readProxyHeader(header(0x21, 0x11, [], 520)), "incomplete");
});
