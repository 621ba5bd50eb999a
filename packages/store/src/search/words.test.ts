// Which words a text is taken to have.
import assert from "node:assert/strict";
import { test } from "node:test";
import { phrasesOf } from "./phrases.ts";
import { wordsOf } from "./words.ts";

const cases: [text: string, sequence: string[], extras: string[]][] = [
  ["Hello, World", ["hello", "world"], []],
  ["去北京ok", ["去北", "北京", "ok"], ["去", "北", "京"]],
  ["한국어 책", ["한국", "국어", "책"], ["한", "국", "어"]],
  ["a  é'b   c ", ["a", "e’b", "c"], []],
  ["v2.14.6", ["v2.14.6"], ["v2", "14", "6", "2.14.6"]],
  ["п'ять п’ять пʼять", ["п’ять", "п’ять", "п’ять"], []],
  ["المكتبة", ["المكتبة"], ["مكتبة"]],
  ["👍🏽👍", ["👍", "👍"], []],
  ["1,000 @c1 a\u0000b", ["1.000", "c1", "a", "b"], ["1", "000"]],
  ["(Hello) it's 10:30, am 3.5.", ["hello", "it\u2019s", "10", "30", "am", "3.5"], ["3", "5"]],
  ["Привіт, Ελλάς! naïve\nстраница:", ["привіт", "ελλασ", "naive", "страница"], []],
  ["hi \u200d❤", ["hi", "\u200d❤"], []],
  ["", [], []],
];

for (const [text, sequence, extras] of cases) {
  test(`${JSON.stringify(text)} has the words ${sequence.join(" ")}`, () => {
    assert.deepEqual(wordsOf(text), { sequence, extras });
  });
}

test("a text of which each second run needs the segmenter has the same words as its runs", () => {
  const { sequence } = wordsOf("it's x ".repeat(500));
  assert.deepEqual(sequence, Array.from({ length: 500 }, () => ["it’s", "x"]).flat());
});

test("no word holds a sign by which an engine would take it apart, whatever the text", () => {
  const every = Array.from({ length: 0x3000 }, (_, at) => `a${String.fromCodePoint(at)}b`).join(" ");
  const { sequence, extras } = wordsOf(every);
  const isOurs = (sign: string) => sign > "\u007f" || /[a-z0-9_.]/.test(sign);
  const wrong = [...sequence, ...extras].filter((word) => ![...word].every(isOurs));
  assert.deepEqual(wrong, []);
});

test("a single Chinese character in a term stands for itself, as in a message it may be in a longer run", () => {
  assert.deepEqual(
    phrasesOf({ text: "3岁 ok go", isPrefix: true }).map(({ words }) => words),
    [["3"], ["岁"], ["ok", "go"]],
  );
  assert.deepEqual(phrasesOf({ text: "北京", isPrefix: true }), [{ words: ["北京"], isPrefix: false }]);
});
