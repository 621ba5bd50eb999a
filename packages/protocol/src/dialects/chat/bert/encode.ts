// Term → bytes, in the tags that every client of chat reads: atoms as 100, and no list as the 107 that Erlang itself writes.
import { Atom, BertError, BitString, Float, ImproperList, type Term, TermMap, Tuple, tags } from "./term.ts";

/** The bytes of a term, 131 first. Throws a BertError where a value has none. */
export function encodeTerm(term: Term): Uint8Array {
  writer.begin();
  writer.byte(tags.version);
  writer.term(term);
  return writer.taken();
}

const usualBytes = 4096;

class Writer {
  #bytes = new Uint8Array(usualBytes);
  #at = 0;

  /** What a larger term needed is let go. */
  begin(): void {
    if (this.#bytes.byteLength > usualBytes) this.#bytes = new Uint8Array(usualBytes);
    this.#at = 0;
  }

  taken(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  term(term: Term): void {
    if (typeof term === "number") this.#number(term);
    else if (typeof term === "bigint") this.#big(term);
    else if (term instanceof Uint8Array) this.#binary(term);
    else if (term instanceof Atom) this.#atom(term.name);
    else if (term instanceof Tuple) this.#tuple(term.elements);
    else if (term instanceof Float) this.#float(term.value);
    else if (term instanceof ImproperList) this.#list(term.elements, term.tail);
    else if (term instanceof TermMap) this.#map(term);
    else if (term instanceof BitString) this.#bitString(term);
    else if (term.length === 0) this.byte(tags.nil);
    else this.#list(term, []);
  }

  byte(value: number): void {
    this.#room(1)[this.#at++] = value;
  }

  #room(bytes: number): Uint8Array {
    if (this.#at + bytes > this.#bytes.byteLength) {
      const grown = new Uint8Array(Math.max(this.#bytes.byteLength * 2, this.#at + bytes));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return this.#bytes;
  }

  #uint(tag: number, value: number, length: 2 | 4): void {
    this.byte(tag);
    for (let shift = (length - 1) * 8; shift >= 0; shift -= 8) this.byte((value >>> shift) & 255);
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.byteLength).set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  #number(value: number): void {
    if (!Number.isInteger(value)) this.#float(value);
    else if (value >= 0 && value <= 255) {
      this.byte(tags.smallInteger);
      this.byte(value);
    } else if (value === (value | 0)) this.#uint(tags.integer, value, 4);
    else if (Number.isSafeInteger(value)) this.#safe(value);
    else this.#big(BigInt(value));
  }

  /** As `#big`, of what a number holds. */
  #safe(value: number): void {
    this.byte(tags.smallBig);
    const lengthAt = this.#at;
    this.byte(0);
    this.byte(value < 0 ? 1 : 0);
    for (let rest = Math.abs(value); rest > 0; rest = Math.floor(rest / 256)) this.byte(rest % 256);
    this.#bytes[lengthAt] = this.#at - lengthAt - 2;
  }

  #big(value: bigint): void {
    if (value >= BigInt(-(2 ** 31)) && value < BigInt(2 ** 31)) {
      this.#number(Number(value));
      return;
    }
    const digits: number[] = [];
    for (let rest = value < 0n ? -value : value; rest > 0n; rest >>= 8n) digits.push(Number(rest & 255n));
    if (digits.length > 255) throw new BertError("an integer of more than 255 bytes");
    this.byte(tags.smallBig);
    this.byte(digits.length);
    this.byte(value < 0n ? 1 : 0);
    this.#raw(Uint8Array.from(digits));
  }

  #float(value: number): void {
    if (!Number.isFinite(value)) throw new BertError("a float that is no number");
    this.byte(tags.newFloat);
    const at = this.#at;
    this.#raw(new Uint8Array(8));
    new DataView(this.#bytes.buffer).setFloat64(at, value);
  }

  #binary(bytes: Uint8Array): void {
    this.#uint(tags.binary, bytes.byteLength, 4);
    this.#raw(bytes);
  }

  #bitString({ bytes, bits }: BitString): void {
    this.#uint(tags.bitString, bytes.byteLength, 4);
    this.byte(bits);
    this.#raw(bytes);
  }

  #atom(name: string): void {
    this.#uint(tags.atom, name.length, 2);
    for (let at = 0; at < name.length; at++) {
      const code = name.charCodeAt(at);
      if (code > 255 || at > 254) throw new BertError("an atom of more than 255 characters, or beyond Latin-1");
      this.byte(code);
    }
  }

  #tuple(elements: readonly Term[]): void {
    if (elements.length > 255) this.#uint(tags.largeTuple, elements.length, 4);
    else {
      this.byte(tags.smallTuple);
      this.byte(elements.length);
    }
    for (const element of elements) this.term(element);
  }

  #list(elements: readonly Term[], tail: Term): void {
    this.#uint(tags.list, elements.length, 4);
    for (const element of elements) this.term(element);
    this.term(tail);
  }

  #map({ entries }: TermMap): void {
    this.#uint(tags.map, entries.length, 4);
    for (const [key, value] of entries) {
      this.term(key);
      this.term(value);
    }
  }
}

/** One for all: a term is written in one go. */
const writer = new Writer();
