import assert from "node:assert/strict";
import { test } from "node:test";
import { openFrames } from "./web-socket-frames.ts";

const mask = [0x11, 0x22, 0x33, 0x44];

/** A frame as a client sends it. */
function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const masked = payload.map((byte, index) => byte ^ mask[index % 4]!);
  const size = length < 126 ? [0x80 | length] : length < 65_536 ? [0xfe, length >> 8, length & 0xff] : undefined;
  const long = Buffer.alloc(9, 0xff);
  long.writeBigUInt64BE(BigInt(length), 1);
  return Buffer.concat([Buffer.from([first, ...(size ?? long), ...mask]), masked]);
}

function read(chunks: Buffer[]) {
  const data: Buffer[] = [];
  const heard: string[] = [];
  const take = openFrames({
    onData: (piece) => data.push(Buffer.from(piece)),
    onPing: (payload) => heard.push(`ping ${payload}`),
    onClose: () => heard.push("close"),
    onFault: (code) => heard.push(`fault ${code}`),
  });
  for (const chunk of chunks) take(Buffer.from(chunk));
  return { data: Buffer.concat(data), heard };
}

const payloads = [0, 1, 125, 126, 300, 65_535, 65_536, 100_000].map((length) =>
  Buffer.from(Array.from({ length }, (_, index) => index & 0xff)),
);
const stream = Buffer.concat([
  ...payloads.map((payload) => frame(0x82, payload)),
  frame(0x02, Buffer.from("a")),
  frame(0x89, Buffer.from("between")),
  frame(0x00, Buffer.from("b")),
  frame(0x8a, Buffer.from("a pong")),
  frame(0x80, Buffer.from("c")),
  frame(0x88, Buffer.from([3, 0xe8])),
  frame(0x82, Buffer.from("after the end")),
]);

for (const size of [1, 2, 3, 13, 1000, 65_536, stream.length])
  test(`frames cut every ${size} bytes hold the same bytes`, () => {
    const chunks: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
    const { data, heard } = read(chunks);
    assert.ok(data.equals(Buffer.concat([...payloads, Buffer.from("abc")])));
    assert.deepEqual(heard, ["ping between", "close"]);
  });

test("what a frame holds is handed on before the frame is whole, and none of it is kept", () => {
  const begun = Buffer.from([0x82, 0xff, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  const { data, heard } = read([begun, Buffer.from([4])]);
  assert.deepEqual([...data], [1, 2, 3, 4]);
  assert.deepEqual(heard, []);
});

test("what is no frame that MQTT may come in ends the reading", () => {
  const wrong: [string, Buffer, number][] = [
    ["text", frame(0x81, Buffer.from("hello")), 1003],
    ["not masked", Buffer.from([0x82, 1, 0]), 1002],
    ["an extension", frame(0xc2, Buffer.from("x")), 1002],
    ["an unknown kind", frame(0x83, Buffer.from("x")), 1002],
    ["an unknown control frame", frame(0x8b, Buffer.from("x")), 1002],
    ["nothing to continue", frame(0x80, Buffer.from("x")), 1002],
    ["a message in a message", Buffer.concat([frame(0x02, Buffer.from("")), frame(0x82, Buffer.from(""))]), 1002],
    ["a ping in parts", frame(0x09, Buffer.from("x")), 1002],
    ["a long ping", frame(0x89, Buffer.alloc(126)), 1002],
    ["a length beyond counting", Buffer.from([0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, ...mask]), 1009],
  ];
  for (const [what, bytes, code] of wrong) assert.deepEqual(read([bytes, bytes]).heard, [`fault ${code}`], what);
});
