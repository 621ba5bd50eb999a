// What a query's terms ask of a message's words, for every engine.
import type { SearchTerm } from "../search-index.ts";
import { isCharacter, isOfCharacters, wordsOf } from "./words.ts";

/** Words that stand one after the other; of the last one the beginning where `isPrefix`. */
export type Phrase = { words: string[]; isPrefix: boolean };

/**
 * One phrase or several of a term; none: there is no word in it. A single Chinese, Japanese or Korean character within a term
 * stands for itself: in a message it may be a part of a longer run.
 */
export function phrasesOf({ text, isPrefix = false }: SearchTerm): Phrase[] {
  const { sequence } = wordsOf(text);
  const phrases: Phrase[] = [];
  let isOpen = false;
  for (const word of sequence) {
    const isAlone = isCharacter(word);
    if (isOpen && !isAlone) phrases.at(-1)?.words.push(word);
    else phrases.push({ words: [word], isPrefix: false });
    isOpen = !isAlone;
  }
  const last = phrases.at(-1);
  if (last && isPrefix && !isOfCharacters(last.words.at(-1) ?? "")) last.isPrefix = true;
  return phrases;
}

/** True if the words hold the phrase. */
export function holdsPhrase(words: readonly string[], phrase: Phrase): boolean {
  const last = phrase.words.length - 1;
  const fits = (word: string | undefined, at: number) =>
    at === last && phrase.isPrefix ? word?.startsWith(phrase.words[at] ?? "") : word === phrase.words[at];
  return words.some((_, start) => phrase.words.every((_word, at) => fits(words[start + at], at)));
}
