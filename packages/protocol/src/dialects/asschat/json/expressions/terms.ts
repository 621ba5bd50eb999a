// Expressions in ASSChat's requests: texts in quotes, numbers, lists, and calls of these. `and(eq('ch_id', 'ch1'), …)`
import { AppError } from "../../../../errors.ts";

export type Term = string | number | boolean | readonly Term[] | Call;

export interface Call {
  name: string;
  args: readonly Term[];
}

const bounds = { characters: 2_048, depth: 16, terms: 256 } as const;
const tokens = /\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d{1,15}(?:\.\d{1,6})?)|([a-z_]{1,32})|([()[\],]))/sy;

type Token = { value: string | number } | { word: string } | { sign: string };

export function isCall(term: Term): term is Call {
  return typeof term === "object" && !Array.isArray(term);
}

/** Terms with commas between. Throws the refusal. */
export function readTerms(text: string): readonly Term[] {
  if (text.length > bounds.characters) throw wrong(`it is longer than ${bounds.characters} characters`);
  const all = [...split(text)];
  let at = 0;
  let count = 0;

  function next(sign: string): boolean {
    const token = all[at];
    const isNext = token !== undefined && "sign" in token && token.sign === sign;
    if (isNext) at += 1;
    return isNext;
  }

  function list(end: string | undefined, depth: number): Term[] {
    const found: Term[] = [];
    if (end !== undefined && next(end)) return found;
    do found.push(term(depth));
    while (next(","));
    if (end !== undefined && !next(end)) throw wrong(`${end} is missing`);
    return found;
  }

  function term(depth: number): Term {
    count += 1;
    if (count > bounds.terms) throw wrong(`it has more than ${bounds.terms} parts`);
    if (depth > bounds.depth) throw wrong(`it is nested deeper than ${bounds.depth} levels`);
    if (next("[")) return list("]", depth + 1);
    const token = all[at];
    at += 1;
    if (token === undefined) throw wrong("it ends too early");
    if ("value" in token) return token.value;
    if ("sign" in token) throw wrong(`${token.sign} stands where something is to be`);
    if (next("(")) return { name: token.word, args: list(")", depth + 1) };
    if (token.word === "true" || token.word === "false") return token.word === "true";
    throw wrong(`${token.word} is neither in quotes nor has it brackets behind it`);
  }

  const found = list(undefined, 1);
  if (at < all.length) throw wrong("something stands behind its end");
  return found;
}

function* split(text: string): Generator<Token> {
  const whole = text.trim();
  tokens.lastIndex = 0;
  while (tokens.lastIndex < whole.length) {
    const at = tokens.lastIndex;
    const [, single, double, number, word, sign] = tokens.exec(whole) ?? [];
    const quoted = single ?? double;
    if (quoted !== undefined) yield { value: unquoted(quoted) };
    else if (number !== undefined) yield { value: Number(number) };
    else if (word !== undefined) yield { word };
    else if (sign !== undefined) yield { sign };
    else throw wrong(`${whole.slice(at, at + 20)} cannot be read`);
  }
}

// A backslash before anything but a quote stands: patterns need it.
function unquoted(text: string): string {
  return text.replace(/\\(.)/gs, (pair, character) => (character === "'" || character === '"' ? character : pair));
}

function wrong(why: string): AppError {
  return new AppError("invalid_packet", `not an expression: ${why}`);
}
