import assert from "node:assert/strict";
import { test } from "node:test";
import { cutToBytes, cutToGraphemes, ellipsis, jsonBytes, shownText } from "./shown-text.ts";

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
const graphemesOf = (text: string) => [...segmenter.segment(text)].map(({ segment }) => segment);
const family = "👨‍👩‍👧‍👦";

/** One of every kind of writing that is easily cut in the wrong place. */
const writings: Readonly<Record<string, string>> = {
  Latin: "Shall we have lunch at the place by the river?",
  "escaped in JSON": 'he said "no\\yes" "" \\\\ and "so on"',
  "with combining marks": "e\u0301a\u0308n\u0303 o\u0302\u0323 e\u0301",
  families: `${family} and ${family}${family}`,
  "skin tones": "👍🏽👩🏾‍🚒🤝🏻👋🏿",
  flags: "🇺🇦🇩🇪🇨🇳🇪🇬🏴󠁧󠁢󠁥󠁮󠁧󠁿🇺🇦🇩",
  keycaps: "1️⃣2️⃣#️⃣ ❤️❤️",
  Devanagari: "नमस्ते क्षत्रिय हिन्दी में कर्त्तव्य",
  Tamil: "நின்றுகொண்டிருந்தாள்",
  Thai: "สวัสดีครับ ผู้ใหญ่ที่",
  Hangul: "\u1112\u1161\u11ab\u1100\u1173\u11af 한국어",
  Arabic: "مَرْحَبًا بِكُمْ فِي المُحَادَثَة",
  Hebrew: "שָׁלוֹם עֲלֵיכֶם",
  Chinese: "我们在河边吃午饭好吗？𠮷野家",
  Ukrainian: "Ґанок і їжак, щонайменше п'ять",
  "with one letter and many marks": `a${"\u0301".repeat(40)}b${"\u0301".repeat(40)}c`,
};

for (const [name, text] of Object.entries(writings)) {
  const graphemes = graphemesOf(text);

  test(`${name}: whatever the limit in bytes, whole graphemes are kept, as many as go in`, () => {
    for (let most = 0; most <= jsonBytes(text) + 1; most += 1) {
      const cut = cutToBytes(text, most);
      assert.ok(jsonBytes(cut) <= most, `${most}: ${cut}`);
      if (most >= jsonBytes(text)) assert.equal(cut, text);
      else if (most < 3) assert.equal(cut, "");
      else assert.equal(cut, longest(graphemes, (kept) => jsonBytes(kept + ellipsis) <= most).trimEnd() + ellipsis);
    }
  });

  test(`${name}: whatever the limit in graphemes, the first are kept, with an ellipsis where others are left out`, () => {
    for (let most = 1; most <= graphemes.length + 1; most += 1) {
      const cut = cutToGraphemes(text, most);
      assert.ok(graphemesOf(cut).length <= most);
      const kept = graphemes.slice(0, most - 1).join("");
      assert.equal(cut, most >= graphemes.length ? text : kept.trimEnd() + ellipsis);
    }
  });

  test(`${name}: it is shown as it was written`, () => {
    const marks = /(\p{M}{8})\p{M}+/gu;
    assert.equal(shownText(text), text.replaceAll(marks, "$1"));
  });
}

function longest(graphemes: readonly string[], fits: (kept: string) => boolean): string {
  let kept = "";
  for (const grapheme of graphemes) {
    if (!fits(kept + grapheme)) return kept;
    kept += grapheme;
  }
  return kept;
}

const misleading: readonly [what: string, text: string, shown: string][] = [
  ["line breaks", "your code\r\n\r\nBank: 1234\u2028a\u2029b\u0085c", "your code Bank: 1234 a b c"],
  ["tabs and many spaces", "\t a \u00a0 \u3000 b\v\f", "a b"],
  ["NUL and other controls", "a\u0000b\u0007c\u001bd\u007fe\u009f", "a b c d e"],
  ["overrides and embeddings of direction", "\u202eevil\u202c \u202aa\u202db\u202b", "evil ab"],
  ["isolates that would close those around", "a\u2069\u2069b\u2066c\u2067d\u2068", "abcd"],
  ["annotations", "\ufff9a\ufffab\ufffbc", "abc"],
  ["what shows nothing inside a word", "pay\u200bpal\ufeff\u2060", "paypal"],
  ["lone surrogates", "a\ud83db\ude00c\ud83d", "a\ufffdb\ufffdc\ufffd"],
  ["nothing but what shows nothing", "\u200b\u2800 \u3164\u00ad\u200d\ufe0f\u115f\u202e", ""],
  ["marks that are piled up", `z${"\u0335".repeat(500)}y`, `z${"\u0335".repeat(8)}y`],
];

for (const [what, text, shown] of misleading)
  test(`${what} are made harmless`, () => assert.equal(shownText(text), shown));

test("joiners and marks of direction, which scripts need, stay", () => {
  const texts = [family, "می\u200cخواهم", "\u200eabc\u200f", "क\u094d\u200dष"];
  for (const text of texts) assert.equal(shownText(text), text);
});

test("what is no text shows nothing", () => {
  for (const value of [undefined, null, 7, {}, ["a"]]) assert.equal(shownText(value), "");
});

test("of a text longer than any notification the beginning is looked at, whole graphemes, and an ellipsis says so", () => {
  const { "with one letter and many marks": _, ...others } = writings;
  for (const [name, text] of Object.entries(others)) {
    const long = `${text} `.repeat(Math.ceil(20_000 / text.length));
    const shown = shownText(long);
    const kept = graphemesOf(shown.slice(0, -1));
    assert.ok(shown.endsWith(ellipsis), name);
    assert.ok(shown.length > 8_100 && shown.length <= 8_193, `${name}: ${shown.length}`);
    assert.deepEqual(kept, graphemesOf(long).slice(0, kept.length), name);
  }
});

test("a text in which only white space is behind the beginning has an ellipsis where there was more", () => {
  const shown = shownText(`hi${" ".repeat(9_000)}there`);
  assert.equal(shown, `hi${ellipsis}`);
});

test("bytes are counted as JSON has them", () => {
  assert.equal(jsonBytes('a"\\\u{1F600}ü字'), 1 + 2 + 2 + 4 + 2 + 3);
});
