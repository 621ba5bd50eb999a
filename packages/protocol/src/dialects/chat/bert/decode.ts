// Bytes → term, as the clients of chat write them [erl_ext_dist]. Whatever cannot be read ends in a BertError, and no
// length that the bytes claim is believed before that much is there.
import { inflate } from "./inflate.ts";
import { Atom, BertError, BitString, Float, ImproperList, type Term, TermMap, Tuple, tags } from "./term.ts";

const bounds = {
  /** levels of nesting */
  depth: 32,
  /** terms of all levels together; an element of a string of small integers counts too */
  terms: 20_000,
  /** bytes of a term that came compressed */
  inflated: 256 * 1024,
  /** bytes of an integer */
  integer: 64,
} as const;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The term that the bytes begin with; what is behind it is passed over. Throws a BertError. */
export function decodeTerm(bytes: Uint8Array): Term {
  if (bytes[0] !== tags.version) throw new BertError("no term: the first byte is not 131");
  if (bytes[1] !== tags.compressed) return new Reader(bytes, 1).term(0);
  if (bytes.byteLength < 6) throw new BertError("the term ends too early");
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(2);
  if (size > bounds.inflated) throw new BertError(`a compressed term of more than ${bounds.inflated} bytes`);
  return new Reader(inflate(bytes.subarray(6), size), 0).term(0);
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;
  #left: number = bounds.terms;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  term(depth: number): Term {
    if (depth > bounds.depth) throw new BertError(`nested deeper than ${bounds.depth}`);
    this.#spend(1);
    const tag = this.#number(1);
    switch (tag) {
      case tags.smallInteger:
        return this.#number(1);
      case tags.integer:
        return this.#number(4) | 0;
      case tags.smallBig:
        return this.#big(this.#number(1));
      case tags.largeBig:
        return this.#big(this.#number(4));
      case tags.newFloat:
        return this.#float();
      case tags.floatText:
        return this.#floatText();
      case tags.nil:
        return [];
      case tags.binary:
        return this.#take(this.#number(4));
      case tags.bitString:
        return this.#bitString();
      case tags.string:
        return this.#smallIntegers();
      case tags.smallTuple:
        return bertForm(this.#terms(this.#number(1), depth));
      case tags.largeTuple:
        return bertForm(this.#terms(this.#number(4), depth));
      case tags.list:
        return this.#list(depth);
      case tags.map:
        return this.#map(depth);
      default:
        return this.#atom(tag);
    }
  }

  #spend(terms: number) {
    this.#left -= terms;
    if (this.#left < 0) throw new BertError(`more than ${bounds.terms} terms`);
  }

  /** Goes on behind so many bytes. Answers where they begin. */
  #pass(length: number): number {
    const at = this.#at;
    if (at + length > this.#bytes.byteLength) throw new BertError("the term ends too early");
    this.#at = at + length;
    return at;
  }

  #take(length: number): Uint8Array {
    const at = this.#pass(length);
    return this.#bytes.subarray(at, at + length);
  }

  #number(length: 1 | 2 | 4): number {
    const at = this.#pass(length);
    if (length === 1) return this.#bytes[at] as number;
    return length === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  #atom(tag: number): Atom {
    switch (tag) {
      case tags.atom:
        return new Atom(this.#latin1(atomLength(this.#number(2))));
      case tags.smallAtom:
        return new Atom(this.#latin1(this.#number(1)));
      case tags.atomUtf8:
        return new Atom(utf8Text(this.#take(atomLength(this.#number(2)))));
      case tags.smallAtomUtf8:
        return new Atom(utf8Text(this.#take(this.#number(1))));
      default:
        throw new BertError(`unknown tag ${tag}`);
    }
  }

  /** A decoder of this name would read 128 to 159 as other characters. */
  #latin1(length: number): string {
    const begin = this.#pass(length);
    let text = "";
    for (let at = begin; at < begin + length; at++) text += String.fromCharCode(this.#bytes[at] as number);
    return text;
  }

  #big(length: number): number | bigint {
    if (length > bounds.integer) throw new BertError(`an integer of more than ${bounds.integer} bytes`);
    const sign = this.#number(1);
    if (sign > 1) throw new BertError("an integer whose sign is neither 0 nor 1");
    const digits = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(digits[i] ?? 0);
    if (sign === 1) value = -value;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #float(): Float {
    const at = this.#at;
    this.#take(8);
    const value = this.#view.getFloat64(at);
    if (!Number.isFinite(value)) throw new BertError("a float that is no number");
    return new Float(value);
  }

  #floatText(): Float {
    const text = this.#latin1(31).replace(/\0+$/, "").trim();
    const value = /^[+-]?\d+\.\d+(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value)) throw new BertError("a float that is no number");
    return new Float(value);
  }

  #bitString(): BitString {
    const length = this.#number(4);
    const bits = this.#number(1);
    if (bits < 1 || bits > 8 || length === 0) throw new BertError("a bit string of no bits");
    return new BitString(this.#take(length), bits);
  }

  #smallIntegers(): number[] {
    const length = this.#number(2);
    this.#spend(length);
    return [...this.#take(length)];
  }

  #terms(count: number, depth: number): Term[] {
    if (count > this.#bytes.byteLength - this.#at) throw new BertError("the term ends too early");
    const terms: Term[] = [];
    for (let i = 0; i < count; i++) terms.push(this.term(depth + 1));
    return terms;
  }

  #list(depth: number): Term {
    const elements = this.#terms(this.#number(4), depth);
    const tail = this.term(depth + 1);
    if (Array.isArray(tail)) return tail.length === 0 ? elements : [...elements, ...tail];
    return new ImproperList(elements, tail);
  }

  #map(depth: number): TermMap {
    const count = this.#number(4);
    if (count * 2 > this.#bytes.byteLength - this.#at) throw new BertError("the term ends too early");
    const entries: [Term, Term][] = [];
    for (let i = 0; i < count; i++) entries.push([this.term(depth + 1), this.term(depth + 1)]);
    return new TermMap(entries);
  }
}

// 255 characters, of up to four bytes.
function atomLength(length: number): number {
  if (length > 4 * 255) throw new BertError("an atom of more than 255 characters");
  return length;
}

function utf8Text(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new BertError("an atom that is no UTF-8");
  }
}

/** What encoders of BERT-RPC write for a plain value: `{bert, nil}`, `{bert, true}`, `{bert, string, 'UTF-8', Binary}`. */
function bertForm(elements: Term[]): Term {
  const [name, kind, , text] = elements;
  if (!(name instanceof Atom && name.name === "bert" && kind instanceof Atom)) return new Tuple(elements);
  if (elements.length === 2 && kind.name === "nil") return [];
  if (elements.length === 2 && (kind.name === "true" || kind.name === "false")) return kind;
  return kind.name === "string" && elements.length === 4 && text instanceof Uint8Array ? text : new Tuple(elements);
}
