// What a term of Erlang is here: nothing that a client tells apart (atom, binary, tuple, list) becomes the same.

/** An atom. Those of the protocol are made once; whatever else a device writes is kept as its text and never interned. */
export class Atom {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export class Tuple {
  readonly elements: readonly Term[];

  constructor(elements: readonly Term[]) {
    this.elements = elements;
  }
}

/** A number that is a float although it may be whole: 1.0 is not 1. */
export class Float {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** `[a | b]`: a list whose tail is no list. No client writes one. */
export class ImproperList {
  readonly elements: readonly Term[];
  readonly tail: Term;

  constructor(elements: readonly Term[], tail: Term) {
    this.elements = elements;
    this.tail = tail;
  }
}

/** Bits that fill no whole byte: `bits` of the last one count. */
export class BitString {
  readonly bytes: Uint8Array;
  readonly bits: number;

  constructor(bytes: Uint8Array, bits: number) {
    this.bytes = bytes;
    this.bits = bits;
  }
}

export class TermMap {
  readonly entries: readonly (readonly [key: Term, value: Term])[];

  constructor(entries: readonly (readonly [key: Term, value: Term])[]) {
    this.entries = entries;
  }
}

/** A list is an array, a binary a Uint8Array; an integer is a bigint where a number cannot hold it. */
export type Term =
  | number
  | bigint
  | Float
  | Atom
  | Uint8Array
  | BitString
  | Tuple
  | readonly Term[]
  | ImproperList
  | TermMap;

/** Bytes that are no term, a term beyond the limits, or a value that has no term. */
export class BertError extends Error {
  override name = "BertError";
}

/** The bytes of the External Term Format [erl_ext_dist]. */
export const tags = {
  version: 131,
  compressed: 80,
  newFloat: 70,
  bitString: 77,
  smallInteger: 97,
  integer: 98,
  floatText: 99,
  atom: 100,
  smallTuple: 104,
  largeTuple: 105,
  nil: 106,
  string: 107,
  list: 108,
  binary: 109,
  smallBig: 110,
  largeBig: 111,
  smallAtom: 115,
  map: 116,
  atomUtf8: 118,
  smallAtomUtf8: 119,
} as const;
