// A line of a notification: words around a text that may be cut, parts of another direction of writing kept apart.
import type { Direction } from "./phrases/phrases.ts";
import { cutToBytes } from "./shown-text.ts";

export interface Line {
  before: string;
  /** what may be cut */
  text: string;
  after: string;
}

export function lineOf(text: string): Line {
  return { before: "", text, after: "" };
}

/** With its text cut so that the line takes at most so many bytes in JSON more than without the text. */
export function cutLine({ before, text, after }: Line, bytes: number): string {
  return before + cutToBytes(text, bytes) + after;
}

/** The line behind `words`. */
export function behind(words: string, line: Line, direction: Direction): Line {
  const { before, text, after } = isolatedLine(line, direction);
  return { before: words + before, text, after };
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

function isolatedLine(line: Line, direction: Direction): Line {
  if (!turns(line.text, direction)) return line;
  const { before, text, after } = line;
  return { before: before + firstStrongIsolate, text, after: popDirectionalIsolate + after };
}

function turns(part: string, direction: Direction): boolean {
  return (direction === "ltr" ? rightToLeft : leftToRight).test(part);
}
