import assert from "node:assert/strict";
import { test } from "node:test";
import { Framing } from "./framing.ts";

const packet = (length: number, fill: number): Buffer => {
  const digits = length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from([0x30, ...digits]), Buffer.alloc(length, fill)]);
};

function readAll(framing: Framing, chunk: Buffer): Buffer[] {
  const found: Buffer[] = [];
  framing.push(chunk);
  while (framing.next() === "packet") found.push(Buffer.from(framing.packet()));
  return found;
}

const packets = [packet(0, 0), packet(3, 1), packet(127, 2), packet(128, 3), packet(9000, 4), packet(1, 5)];
const stream = Buffer.concat(packets);

for (const size of [1, 2, 3, 7, 128, 4096, stream.length])
  test(`a stream cut every ${size} bytes is the same packets`, () => {
    const framing = new Framing(10_000);
    const found: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...readAll(framing, stream.subarray(at, at + size)));
    assert.deepEqual(found, packets);
  });

test("bytes that have been read are let go, those of a packet that is not whole are kept", () => {
  const framing = new Framing(10_000);
  for (const cut of [0, 1, 2, 100]) {
    const found = [...readAll(framing, stream.subarray(0, stream.length - cut))];
    framing.release();
    assert.equal(framing.bytes.length === 0, cut === 0);
    if (cut > 0) found.push(...readAll(framing, stream.subarray(stream.length - cut)));
    framing.release();
    assert.deepEqual(found, packets);
    assert.equal(framing.bytes.length, 0);
  }
});

test("a packet that arrives whole is not copied", () => {
  const framing = new Framing(10_000);
  framing.push(stream);
  framing.next();
  framing.next();
  assert.equal(framing.packet().buffer, stream.buffer);
  assert.equal(framing.bytes[framing.body], 1);
});

test("packets not taken before the next chunk stay in order", () => {
  const framing = new Framing(10_000);
  framing.push(Buffer.concat([packets[1]!, packets[2]!, packets[3]!.subarray(0, 5)]));
  framing.next();
  framing.push(packets[3]!.subarray(5));
  assert.equal(framing.next(), "packet");
  assert.deepEqual(framing.packet(), packets[2]);
  assert.equal(framing.next(), "packet");
  assert.deepEqual(framing.packet(), packets[3]);
  assert.equal(framing.next(), "more");
});

test("a length of more than four bytes is malformed, also when it drips in", () => {
  const framing = new Framing(10_000_000);
  for (const byte of [0x30, 0x80, 0x80, 0x80]) assert.deepEqual(readAll(framing, Buffer.from([byte])), []);
  assert.equal(framing.next(), "more");
  framing.push(Buffer.from([0x80]));
  framing.push(Buffer.from([0x01]));
  assert.equal(framing.next(), "malformed");
});

test("a packet larger than allowed is known by its header alone; one of exactly the limit passes", () => {
  const framing = new Framing(130);
  assert.equal(readAll(framing, packet(127, 1)).length, 1);
  framing.push(packet(128, 1).subarray(0, 3));
  assert.equal(framing.next(), "too_large");
  const exact = new Framing(131);
  assert.equal(readAll(exact, packet(128, 1)).length, 1);
});

for (const size of [1, 2, 5, 1000, 4096, 1_000_000])
  test(`a packet that is too large is passed over, and those around it are read, cut every ${size} bytes`, () => {
    const large = packet(5000, 9);
    const all = Buffer.concat([packets[2]!, large, large, packets[1]!, packets[2]!]);
    const framing = new Framing(130);
    const found: (Buffer | number)[] = [];
    const pieces: Buffer[] = [];
    for (let at = 0; at < all.length; at += size) {
      framing.push(all.subarray(at, at + size));
      for (let next = framing.next(); next !== "more"; next = framing.next()) {
        if (next === "too_large") framing.skip((piece) => pieces.push(Buffer.from(piece)));
        else if (next === "packet") found.push(Buffer.from(framing.packet()));
        else found.push(framing.skipped().bytes, framing.skipped().head);
      }
    }
    // A KiB more than what says that it is its topic.
    const head = large.subarray(0, 1024 + 0x0909);
    assert.deepEqual(Buffer.concat(pieces), Buffer.concat([large.subarray(3), large.subarray(3)]));
    assert.deepEqual(found, [packets[2], large.length, head, large.length, head, packets[1], packets[2]]);
  });
