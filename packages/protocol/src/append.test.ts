import assert from "node:assert/strict";
import { test } from "node:test";
import * as append from "./append.ts";

const body = (text: string) => new TextEncoder().encode(text);
const item = (id: string, rest: Partial<append.AppendItem> = {}): append.AppendItem => ({
  conv: "p2p/alice/bob",
  from: "alice",
  device: "alice:web",
  id,
  type: "text",
  body: body(`{"id":"${id}","data":"héllo"}`),
  ...rest,
});

const groups: append.AppendGroup[] = [
  { q: 0, items: [item("1"), item("2", { prev: "1", body: body("{}") })] },
  { q: 255, items: [item("3", { origin: "api", conv: "room/r1" })] },
];
const outcomes: append.GroupOutcome[] = [
  { q: 0, outcomes: [{ seq: 1, ts: 5, memberSeq: 0 }, { error: { code: "not_member", message: "no" } }] },
  { q: 7, failed: "not_mine" },
  { q: 8, failed: "unavailable", message: "store" },
  { q: 255, outcomes: [{ seq: 9, ts: 6, memberSeq: 3, stored: body('{"id":"3"}') }] },
  { q: 3, outcomes: [{ seq: 2, ts: 6, memberSeq: 3, duplicate: true, storedAt: 7 }] },
];

// Frames arrive as views into larger buffers: offsets must not matter.
function shifted(frame: Uint8Array): Uint8Array {
  const larger = new Uint8Array(frame.byteLength + 7).fill(0xff);
  larger.set(frame, 3);
  return larger.subarray(3, 3 + frame.byteLength);
}

test("an append request is unpacked as it was packed", () => {
  assert.deepEqual(append.unpackAppendRequest(shifted(append.packAppendRequest(groups))), groups);
  assert.deepEqual(append.unpackAppendRequest(append.packAppendRequest([])), []);
});

test("an append reply is unpacked as it was packed: outcomes, refusals, stored bodies and failed groups", () => {
  assert.deepEqual(append.unpackAppendReply(shifted(append.packAppendReply(outcomes))), outcomes);
});

test("a frame torn at any byte throws instead of answering a part", () => {
  const request = append.packAppendRequest(groups);
  for (let size = 0; size < request.byteLength; size += 1)
    assert.throws(() => append.unpackAppendRequest(request.subarray(0, size)), `request of ${size} bytes`);
  const reply = append.packAppendReply(outcomes);
  for (let size = 0; size < reply.byteLength; size += 1)
    assert.throws(() => append.unpackAppendReply(reply.subarray(0, size)), `reply of ${size} bytes`);
});
