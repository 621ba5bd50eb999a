import assert from "node:assert/strict";
import { test } from "node:test";
import { AckLine } from "./acks.ts";

function lineOf(...ids: number[]) {
  const sent: number[] = [];
  const line = new AckLine((id) => sent.push(id));
  const acks = new Map(ids.map((id) => [id, line.hold(id)]));
  return { line, sent, ack: (id: number) => acks.get(id)?.() };
}

test("PUBACKs go out in the order of arrival, whatever order they are given in", () => {
  const { line, sent, ack } = lineOf(7, 3, 9, 1);
  ack(9);
  ack(3);
  assert.deepEqual(sent, []);
  ack(7);
  assert.deepEqual(sent, [7, 3, 9]);
  assert.equal(line.size, 1);
  ack(1);
  assert.deepEqual(sent, [7, 3, 9, 1]);
  assert.equal(line.size, 0);
});

test("an ack given twice is sent once, also after its packet id is used again", () => {
  const { line, sent, ack } = lineOf(1);
  ack(1);
  const again = line.hold(1);
  ack(1);
  assert.deepEqual(sent, [1]);
  again();
  assert.deepEqual(sent, [1, 1]);
});

test("acks of a line that was dropped are not sent", () => {
  const { line, sent, ack } = lineOf(1, 2);
  line.drop();
  ack(1);
  ack(2);
  assert.deepEqual(sent, []);
  assert.equal(line.size, 0);
});

test("an id is held until its PUBACK is sent, not until it is given", () => {
  const { line, ack } = lineOf(1, 2);
  ack(2);
  assert.equal(line.holds(2), true);
  ack(1);
  assert.equal(line.holds(2), false);
});
