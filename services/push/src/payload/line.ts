// A line of a notification: words around a text that may be cut, parts of another direction of writing kept apart.
import type { Direction } from "./phrases/phrases.ts";
import { cutToBytes } from "./shown-text.ts";

export interface Line {
  before: string;
  /** what may be cut */
  text: string;
  after: string;
}

/** Of what somebody wrote. */
export function lineOf(text: string): Line {
  return { before: "", text, after: "" };
}

/** Of words of the catalogue, which are never cut. */
export function phraseLine(words: string): Line {
  return { before: words, text: "", after: "" };
}

/** With its text cut so that the line takes at most so many bytes in JSON more than without the text. */
export function cutLine({ before, text, after }: Line, bytes: number): string {
  return before + cutToBytes(text, bytes) + after;
}

/** The line behind `words`. What somebody wrote is isolated, if it is all of the line and written the other way. */
export function behind(words: string, { before, text, after }: Line, direction: Direction): Line {
  const isAlone = before === "" && after === "";
  if (!isAlone || !turns(text, direction)) return { before: words + before, text, after };
  return { before: words + firstStrongIsolate, text, after: popDirectionalIsolate };
}

const rightToLeft =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u;
const leftToRight =
  /[[\p{Alphabetic}\p{Nd}]--[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]]/v;

const firstStrongIsolate = "\u2068";
const popDirectionalIsolate = "\u2069";

/** A part that is put among words of a direction: between isolates (UAX #9) where the part is written the other way. */
export function isolated(part: string, direction: Direction): string {
  return turns(part, direction) ? firstStrongIsolate + part + popDirectionalIsolate : part;
}

function turns(part: string, direction: Direction): boolean {
  return (direction === "ltr" ? rightToLeft : leftToRight).test(part);
}
