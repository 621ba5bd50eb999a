import assert from "node:assert/strict";
import { test } from "node:test";
import { behind, cutLine, isolated, lineOf } from "./line.ts";
import { jsonBytes } from "./shown-text.ts";

const arabicName = "ليلى";
const isolate = (part: string) => `\u2068${part}\u2069`;

test("a name of the other direction is isolated, one of the same is not", () => {
  assert.equal(isolated("Alice", "ltr"), "Alice");
  assert.equal(isolated("Аліса 爱丽丝 🎉", "ltr"), "Аліса 爱丽丝 🎉");
  assert.equal(isolated(arabicName, "ltr"), isolate(arabicName));
  assert.equal(isolated("דנה", "ltr"), isolate("דנה"));
  assert.equal(isolated(`Alice ${arabicName}`, "ltr"), isolate(`Alice ${arabicName}`));
  assert.equal(isolated(arabicName, "rtl"), arabicName);
  assert.equal(isolated("דנה", "rtl"), "דנה");
  assert.equal(isolated("🎉 …", "rtl"), "🎉 …");
  for (const name of ["Alice", "爱丽丝", "Аліса", "+49 30"]) assert.equal(isolated(name, "rtl"), isolate(name));
});

test("a text of the other direction behind words is isolated, also when it is cut", () => {
  const line = behind("Alice: ", lineOf(arabicName.repeat(20)), "ltr");
  for (let bytes = 3; bytes < jsonBytes(line.text); bytes += 1) {
    const cut = cutLine(line, bytes);
    assert.match(cut, /^Alice: \u2068[^\u2068\u2069]*…\u2069$/u);
  }
  assert.equal(cutLine(line, jsonBytes(line.text)), `Alice: ${isolate(line.text)}`);
  assert.deepEqual(behind("Alice: ", lineOf("hi"), "ltr"), { before: "Alice: ", text: "hi", after: "" });
});

test("words before words: the text is isolated once", () => {
  const line = behind("Alice: ", behind("📷 Photo: ", lineOf(arabicName), "ltr"), "ltr");
  assert.equal(cutLine(line, 1_000), `Alice: 📷 Photo: ${isolate(arabicName)}`);
});
