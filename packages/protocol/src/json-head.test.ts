import assert from "node:assert/strict";
import { test } from "node:test";
import { readJsonHead } from "./json-head.ts";

const read = (text: string) => Object.fromEntries(readJsonHead(Buffer.from(text)));

test("an object's own strings and numbers are found, those of what it holds are not", () => {
  const text =
    '{ "id" : "a\\"\\u0062", "content":{"id":"inner","seq":1}, "list":["id",{"id":2}], "seq":12, "done":true }';
  assert.deepEqual(read(text), { id: 'a"b', seq: 12 });
});

test("of an object that is cut off the fields that are whole are found", () => {
  const text = '{"conv":"p2p/alice/bob","seq":1234,"from":"alice"';
  assert.deepEqual(read(text), { conv: "p2p/alice/bob", seq: 1234, from: "alice" });
  assert.deepEqual(read(text.slice(0, 45)), { conv: "p2p/alice/bob", seq: 1234 });
  assert.deepEqual(read(text.slice(0, 33)), { conv: "p2p/alice/bob" });
  assert.deepEqual(read(`{"id":"7","content":{"data":"${"x".repeat(5000)}"},"late":"1"}`), { id: "7" });
});

test("what is no object has no fields", () => {
  for (const text of ["", "hello", '["id","7"]', '"id"', '{"id', '{"id":}', '{"id":"\\x"}', "{}}{"]) {
    assert.deepEqual(read(text), {}, text);
  }
});
