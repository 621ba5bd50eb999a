import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CopiesAnswer,
  type CopiesFrame,
  CopiesReader,
  type CopyTopic,
  writeCopies,
  writeCopiesAnswer,
} from "./direct-copies.ts";

function readAll(chunks: Iterable<Buffer>): (CopiesFrame | CopiesAnswer)[] {
  const reader = new CopiesReader();
  return [...chunks].flatMap((chunk) => [...reader.push(chunk)]);
}

function* bytesOf(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

const topics: CopyTopic[] = [
  { topic: "im/dn/ann/m", reopens: true },
  { topic: "im/dn/zoë/d/zoë:phone", reopens: false },
];
const answers: CopiesAnswer[] = [
  { kind: "refused", id: 7, indexes: [0, 999] },
  { kind: "late", id: 2 ** 32 - 1, index: 1, topic: "im/dn/zoë/m" },
  { kind: "done", id: 0 },
];

test("what was written is read, however the stream is cut", () => {
  const payload = Buffer.from([0, 255, 1]);
  const written = Buffer.concat([writeCopies(8, topics, payload), ...answers.map(writeCopiesAnswer)]);
  const expected = [{ kind: "copies", id: 8, topics, payload }, ...answers];
  assert.deepEqual(readAll([written]), expected);
  assert.deepEqual(readAll(bytesOf(written)), expected);
});

test("a copy may be empty, and a frame without topics is one", () => {
  const none = Buffer.alloc(0);
  assert.deepEqual(readAll([writeCopies(1, [], none)]), [{ kind: "copies", id: 1, topics: [], payload: none }]);
});

test("bytes that are no frame are refused", () => {
  const wrong = [
    Buffer.from([255, 255, 255, 255]),
    Buffer.from([0, 0, 0, 4, 4, 0, 0, 0]),
    Buffer.from([0, 0, 0, 5, 9, 0, 0, 0, 1]),
    // One topic, which is longer than the frame.
    Buffer.from([0, 0, 0, 10, 1, 0, 0, 0, 1, 0, 1, 0, 0, 9]),
  ];
  for (const bytes of wrong) assert.throws(() => readAll([bytes]), RangeError, bytes.toString("hex"));
});
