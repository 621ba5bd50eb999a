// The words of a text, the same at indexing and asking, in every script: what engines keep are these and nothing else.

/** `sequence`: what follows one another. `extras`: what is found too, by itself. */
export type Words = { sequence: string[]; extras: string[] };

/** Grows with each change of the words of a text: an index of another form does not hold what is asked for. */
export const wordsForm = 2;

const wordMost = 64;
const cjk = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Hangul}\\u30fc";
const pieces = new RegExp(`([${cjk}]+)|[^${cjk}]+`, "gu");
const plain = /^[a-z0-9]+$/;
const marked = /[\p{Script=Latin}\p{Script=Greek}\p{Script=Arabic}\p{Script=Hebrew}]/u;
const emoji = /\p{Extended_Pictographic}|\p{Regional_Indicator}/u;
// Skin tones, and how the character before is drawn.
const looks = /[\u{1f3fb}-\u{1f3ff}\ufe0e\ufe0f]/gu;
// In a word all else is a dot; the joiner of emoji (U+200D) is a letter of theirs.
const foreign = /(?:(?!\u200d)[^\p{L}\p{M}\p{N}\p{Extended_Pictographic}\p{Regional_Indicator}_.\u2019])+/gu;
// Letters that Unicode does not take apart.
const spelled: Readonly<Record<string, string>> = {
  ...{ ß: "ss", ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ı: "i", ħ: "h", ŧ: "t", ŋ: "n", ς: "σ" },
  ـ: "",
};
const spelledLetters = new RegExp(`[${Object.keys(spelled).join("")}]`, "gu");
const segmenter = new Intl.Segmenter("und", { granularity: "word" });
// Between two spaces a run of letters and digits with no sign within is one word: most of what is written in Latin, Greek or
// Cyrillic needs no segmenter, which costs several times as much.
const segmentersMost = 100;
const oneWord = /^[("]*([a-z0-9\u00e0-\u00f6\u00f8-\u00ff\u03b1-\u03c9\u0430-\u045f]+)[,.!?;:)"]*$/;

/**
 * Chinese, Japanese and Korean by pairs of characters, and each character for itself; else words, without case, accents and
 * vowel points.
 */
export function wordsOf(text: string): Words {
  const sequence: string[] = [];
  const extras = new Set<string>();
  const folded = text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[\u2018\u2019\u02bc\u00b4`]/g, "'");
  for (const [piece, characters] of folded.matchAll(pieces)) {
    if (characters === undefined) addWords(piece, sequence, extras);
    else addCharacters([...characters], sequence, extras);
  }
  const known = new Set(sequence);
  return { sequence, extras: [...extras].filter((word) => !known.has(word)) };
}

const oneCharacter = new RegExp(`^[${cjk}]$`, "u");
const allCharacters = new RegExp(`^[${cjk}]+$`, "u");

/** True for one Chinese, Japanese or Korean character. */
export function isCharacter(word: string): boolean {
  return oneCharacter.test(word);
}

/** True for Chinese, Japanese or Korean: found within words anyway. */
export function isOfCharacters(word: string): boolean {
  return allCharacters.test(word);
}

function addCharacters(characters: readonly string[], sequence: string[], extras: Set<string>): void {
  if (characters.length === 1) sequence.push(characters[0]!);
  for (let at = 1; at < characters.length; at++) sequence.push(`${characters[at - 1]}${characters[at]}`);
  if (characters.length > 1) for (const character of characters) extras.add(character);
}

// What needs the segmenter goes to it as long as it is, and soon all of it: one is made for each, which costs more than its work.
function addWords(piece: string, sequence: string[], extras: Set<string>): void {
  let unsure = "";
  let left = segmentersMost;
  for (const run of piece.split(" ")) {
    const whole = left === 0 ? undefined : plain.test(run) ? run : oneWord.exec(run)?.[1];
    if (whole === undefined) {
      unsure += unsure === "" ? run : ` ${run}`;
      continue;
    }
    if (unsure !== "") {
      addSegments(unsure, sequence, extras);
      unsure = "";
      left -= 1;
    }
    addWord(whole, sequence, extras);
  }
  if (unsure !== "") addSegments(unsure, sequence, extras);
}

function addSegments(run: string, sequence: string[], extras: Set<string>): void {
  for (const { segment, isWordLike } of segmenter.segment(run)) {
    if (isWordLike || emoji.test(segment)) addWord(segment, sequence, extras);
  }
}

function addWord(segment: string, sequence: string[], extras: Set<string>): void {
  const word = foldWord(segment);
  if (word === "") return;
  sequence.push(word);
  if (!plain.test(word)) for (const part of partsOf(word)) extras.add(part);
}

function foldWord(segment: string): string {
  if (plain.test(segment)) return cut(segment);
  let word = segment.replace(looks, "").replaceAll("'", "\u2019").replace(foreign, ".");
  if (marked.test(word))
    word = word
      .normalize("NFD")
      .replace(/\p{M}+/gu, "")
      .normalize("NFC");
  return cut(word.replace(spelledLetters, (letter) => spelled[letter] ?? ""));
}

// A half character at the end would be another one on disk.
function cut(word: string): string {
  return word.length <= wordMost ? word : word.slice(0, wordMost).replace(/[\ud800-\udbff]$/, "");
}

// `2.14.6` of v2.14.6, `foo` of foo_bar, `homme` of l'homme, and an Arabic noun without its article.
function partsOf(word: string): string[] {
  const parts = /[._]/.test(word) ? word.split(/[._]+/) : [];
  const [, version] = /^\p{L}+(\d[\d.]*\.\d+)$/u.exec(word) ?? [];
  const [, noun] = /^ال(.{2,})$/u.exec(word) ?? [];
  const elided = /^[a-z\u2019]+$/.test(word) ? word.split("\u2019").filter((part) => part.length > 2) : [];
  return [...parts, ...elided, version, noun].filter(
    (part) => part !== undefined && part !== "" && part !== word,
  ) as string[];
}
