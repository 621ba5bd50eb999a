import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExactly, readsExactly } from "./exact-json.ts";

const written = (text: string) => JSON.stringify(parseExactly(text));
const places = (number: string) => [
  `{"a":${number}}`,
  `{"a": [1,${number} ]}`,
  `[\n${number}]`,
  `{"a":"x","b":${number},"c":"2"}`,
];

test("a text whose numbers would be written otherwise is never taken for one that is read exactly", () => {
  const wholes = ["0", "1", "10", "999999999999999", "9007199254740993", "123456789012345678901234567890"];
  const zeros = [".0", ".5", ".10", ".05", ".0000001"];
  const fractions = ["", ...zeros, ".0000000000000001", ".123456789012345678", ".3000000000000000004"];
  const exponents = ["", "e0", "E5", "e-7", "e+400"];
  const numbers = ["", "-"]
    .flatMap((sign) => wholes.map((whole) => sign + whole))
    .flatMap((whole) => fractions.map((fraction) => whole + fraction))
    .flatMap((number) => exponents.map((exponent) => number + exponent));
  for (const text of numbers.flatMap(places))
    if (written(text) !== JSON.stringify(JSON.parse(text))) assert.equal(readsExactly(text), false, text);
});

test("ordinary numbers, words and text need no second reading", () => {
  const numbers = ["0", "12", "-7", "1795240386143", "52.3702", "-4.895168", "0.1", "-0.5", "100", "10.01"];
  for (const text of numbers.flatMap(places)) assert.equal(readsExactly(text), true, text);
  assert.equal(readsExactly('{"a":"1e5 and 9007199254740993","b":true,"c":null,"d":"1.0"}'), true);
});
