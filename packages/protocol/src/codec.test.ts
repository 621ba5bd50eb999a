import assert from "node:assert/strict";
import { test } from "node:test";
import { checkTree, decodeObject } from "./codec.ts";
import { AppError } from "./errors.ts";
import { limits } from "./limits.ts";

const bytes = (text: string) => Buffer.from(text);

function refusal(text: string): AppError {
  const result = decodeObject(bytes(text));
  assert.ok(result instanceof AppError, "it was taken");
  return result;
}

const nested = (levels: number) => `${'{"a":'.repeat(levels - 1)}{}${"}".repeat(levels - 1)}`;
const ofSize = (size: number) => `{"a":"${"x".repeat(size - 8)}"}`;

test("a packet over the size limit is too_large, whatever is in it", () => {
  assert.equal(refusal("x".repeat(limits.packetBytes + 1)).code, "too_large");
  assert.equal(refusal(ofSize(limits.packetBytes + 1)).code, "too_large");
  assert.ok(!(decodeObject(bytes(ofSize(limits.packetBytes))) instanceof AppError));
});

test("the size is counted in bytes, not in characters", () => {
  assert.equal(refusal(`{"a":"${"é".repeat(limits.packetBytes / 2)}"}`).code, "too_large");
});

test("nesting deeper than the limit is refused, the limit itself is not", () => {
  assert.ok(!(decodeObject(bytes(nested(limits.packetDepth))) instanceof AppError));
  assert.match(refusal(nested(limits.packetDepth + 1)).message, /nested deeper than 16/);
  assert.match(refusal(`{"a":${"[".repeat(30_000)}${"]".repeat(30_000)}}`).message, /nested deeper/);
});

test("more keys and elements than the limit are refused, the limit itself is not", () => {
  const list = (length: number) => `{"a":[${Array(length).fill(0).join()}]}`;
  assert.ok(!(decodeObject(bytes(list(limits.packetNodes - 1))) instanceof AppError));
  assert.match(refusal(list(limits.packetNodes)).message, /more than 2000 keys/);
  assert.match(
    refusal(`{"a":[${Array(1_100).fill("{}").join()}],"b":[${Array(1_100).fill(0).join()}]}`).message,
    /2000/,
  );
});

test("keys that name a prototype or an operator are refused at any depth and however they are spelled", () => {
  for (const key of ["__proto__", "constructor", "prototype", "$set", "$", "\\u0024set", "__proto\\u005f_"]) {
    assert.equal(refusal(`{"${key}":1}`).code, "invalid_packet", key);
    assert.equal(refusal(`{"a":[[{"b":{"${key}":1}}]]}`).code, "invalid_packet", key);
  }
});

test("a value with such a name, and a key with $ inside, are no keys that are refused", () => {
  const taken = decodeObject(bytes('{"a":"__proto__","b$":"$set","proto":1}'));
  assert.ok(!(taken instanceof AppError));
});

test("of a duplicate key the last one counts", () => {
  assert.deepEqual(decodeObject(bytes('{"a":1,"\\u0061":2}')), { a: 2 });
});

test("a refusal never repeats more than the beginning of a client's key", () => {
  assert.ok(refusal(`{"$${"x".repeat(5_000)}":1}`).message.length < 100);
});

test("limits can be given, for bodies that are not packets", () => {
  assert.ok(decodeObject(bytes('{"a":{}}'), { bytes: 100, depth: 1, nodes: 10 }) instanceof AppError);
  assert.equal(checkTree({ a: [1, 2] }, { bytes: 0, depth: 2, nodes: 3 }), undefined);
  assert.ok(checkTree({ a: [1, 2, 3] }, { bytes: 0, depth: 2, nodes: 3 }) instanceof AppError);
});
