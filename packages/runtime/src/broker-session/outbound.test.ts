import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbound } from "./outbound.ts";
import { WriteBuffer } from "./write-buffer.ts";

const turnBytes = 1_000_000;
const nothing = new Uint8Array(0);

// A session with more to send than its window takes, filled once.
function filled(window: number): { outbound: Outbound; buffer: WriteBuffer } {
  const outbound = new Outbound(turnBytes);
  const buffer = new WriteBuffer();
  const topics = Array.from({ length: 3 * window }, (_, index) => `t${index}`);
  void outbound.add(topics, nothing, nothing);
  outbound.start({ window, maximumPacketBytes: turnBytes, maximumQos: 1 }, false);
  assert.equal(outbound.pump(buffer, turnBytes), window);
  return { outbound, buffer };
}

test("a wide window is filled up again when a quarter of it is open, not at each PUBACK", () => {
  const { outbound, buffer } = filled(1_000);
  for (let id = 1; id <= 249; id++) outbound.answered(id, 0);
  assert.equal(outbound.worthwhile, false);
  outbound.answered(250, 0);
  assert.equal(outbound.worthwhile, true);
  assert.equal(outbound.pump(buffer, turnBytes), 250);
});

test("a narrow window is kept full", () => {
  const { outbound, buffer } = filled(10);
  outbound.answered(1, 0);
  assert.equal(outbound.worthwhile, true);
  assert.equal(outbound.pump(buffer, turnBytes), 1);
});

test("with nothing left to send no write is worth it", () => {
  const { outbound, buffer } = filled(10);
  for (let id = 1; id <= 10; id++) outbound.answered(id, 0);
  outbound.pump(buffer, turnBytes);
  for (let id = 11; id <= 20; id++) outbound.answered(id, 0);
  outbound.pump(buffer, turnBytes);
  for (let id = 21; id <= 30; id++) outbound.answered(id, 0);
  assert.equal(outbound.worthwhile, false);
  assert.equal(outbound.idle, true);
});
