import assert from "node:assert/strict";
import { test } from "node:test";
import { collectOutput } from "./output.ts";

test("what a program says is whole, or it is nothing where it was too much", () => {
  const output = collectOutput(6);
  output.take(Buffer.from("abc"));
  output.take(Buffer.from("def"));
  assert.equal(output.bytes()?.toString(), "abcdef");
  output.take(Buffer.from("g"));
  assert.equal(output.bytes(), undefined);
  output.take(Buffer.from("h"));
  assert.equal(output.bytes(), undefined);
});
