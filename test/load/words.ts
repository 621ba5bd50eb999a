// Made-up messages of several scripts, some words in many of them and most in few, the same in every run.

export interface Words {
  /** A message of 4 to 24 words, 15 % in Chinese. */
  text(): string;
  word(): string;
  characters(count: number): string;
}

const syllables = "ka lo mi ter an shu ber ing to ve ra pol en di sta qu né öl ży ço".split(" ");
const vocabulary = 50_000;
const characters = 3_000;
const chineseShare = 0.15;

export function makeWords(seed = 1): Words {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
  // As words are in any language: the n-th most frequent one is n times as rare as the first.
  const ranked = (count: number) => Math.min(count - 1, Math.floor(count ** random()) - 1);
  const makeWord = () =>
    Array.from({ length: 1 + Math.floor(random() * 4) }, () => syllables[Math.floor(random() * syllables.length)]).join(
      "",
    );
  const all = Array.from({ length: vocabulary }, makeWord);
  const word = () => all[ranked(vocabulary)]!;
  const some = (count: number) =>
    Array.from({ length: count }, () => String.fromCodePoint(0x4e00 + ranked(characters))).join("");
  return {
    word,
    characters: some,
    text() {
      const length = 4 + Math.floor(random() * 20);
      return random() < chineseShare ? some(length) : Array.from({ length }, word).join(" ");
    },
  };
}
