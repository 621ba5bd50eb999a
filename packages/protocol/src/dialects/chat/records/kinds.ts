// What a field of a record may hold: how it is read from a term and written. `[]` (byte 106) is an empty list, an empty text and
// nothing at all, so nothing is what it is read as: undefined.
import { Atom, BertError, Float, type Term, Tuple } from "../bert/term.ts";

/** The two sets of records: those of the documents, and the later ones that most programs speak. */
export type RecordSet = "v1" | "late";

export interface Kind<T> {
  /** Throws a BertError where the term is something else. */
  read(term: Term, set: RecordSet): T | undefined;
  write(value: T | undefined, set: RecordSet): Term;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** A binary in UTF-8. */
export const text: Kind<string> = {
  read(term) {
    if (isNothing(term)) return undefined;
    if (term instanceof Uint8Array) return utf8(term);
    if (term instanceof Atom) return term.name;
    if (Array.isArray(term) && term.every((one) => typeof one === "number")) return utf8(Uint8Array.from(term));
    throw wrong("a binary", term);
  },
  write: (value) => (value === undefined ? [] : bytesOf(value)),
};

const shortText = 64;

/** In UTF-8. Most are short and ASCII: then that is quicker done than asked for. What a message holds in place of a text is spelled. */
function bytesOf(value: string): Uint8Array {
  if (typeof value !== "string" || value.length > shortText) return encoder.encode(value);
  const ascii = new Uint8Array(value.length);
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code > 127) return encoder.encode(value);
    ascii[at] = code;
  }
  return ascii;
}

/** The phone of an Auth: also `{fake, Phone}`, of test clients. */
export const phone: Kind<string> = {
  ...text,
  read(term, set) {
    const [fake, number] = term instanceof Tuple ? term.elements : [];
    const isFake = fake instanceof Atom && fake.name === "fake" && number !== undefined;
    return text.read(isFake ? number : term, set);
  },
};

/** Bytes as they are. */
export const bytes: Kind<Uint8Array> = {
  read(term) {
    if (isNothing(term)) return undefined;
    if (term instanceof Uint8Array) return term;
    throw wrong("a binary", term);
  },
  write: (value) => value ?? new Uint8Array(0),
};

/** `otherwise` is written where there is none. */
export function atom(otherwise?: string): Kind<string> {
  return {
    read: text.read,
    write: (value) => (value === undefined ? (otherwise === undefined ? [] : new Atom(otherwise)) : new Atom(value)),
  };
}

/** An integer; `otherwise` is written where there is none. Of a list of positions the last is the one that moved. */
export function int(otherwise?: number): Kind<number> {
  return {
    read(term, set) {
      if (isNothing(term)) return undefined;
      if (typeof term === "number") return term;
      if (Array.isArray(term)) return this.read(term.at(-1) ?? [], set);
      throw wrong("an integer of at most 53 bits", term);
    },
    write: (value) => value ?? otherwise ?? [],
  };
}

/** Milliseconds, which some write as text. A clock that says nonsense is passed over. */
export const time: Kind<number> = {
  read(term) {
    if (typeof term === "number") return term;
    const digits = term instanceof Uint8Array && term.byteLength < 16 ? utf8(term) : "";
    return /^\d+$/.test(digits) ? Number(digits) : undefined;
  },
  write: (value) => value ?? [],
};

/** A number that is written as a float where it is none. */
export const float: Kind<number> = {
  read(term) {
    if (isNothing(term)) return undefined;
    if (typeof term === "number") return term;
    if (term instanceof Float) return term.value;
    throw wrong("a number", term);
  },
  write: (value) => (value === undefined ? [] : new Float(value)),
};

/** What a client gives back as it got it, or an id that is a number here and a text there. */
export const textOrInt: Kind<string | number> = {
  read: (term, set) => (typeof term === "number" ? term : text.read(term, set)),
  write: (value, set) => (typeof value === "number" ? value : text.write(value, set)),
};

/** Whatever it is. */
export const anything: Kind<Term> = {
  read: (term) => (isNothing(term) ? undefined : term),
  write: (value) => value ?? [],
};

export function list<T>(of: Kind<T>): Kind<T[]> {
  return {
    read(term, set) {
      if (isNothing(term)) return undefined;
      if (!Array.isArray(term)) throw wrong("a list", term);
      return term.flatMap((one) => of.read(one, set) ?? []);
    },
    write: (value, set) => (value ?? []).map((one) => of.write(one, set)),
  };
}

/** A list of which the older set writes the only element alone: types of a message, whom it is hidden from. */
export function oneOrMore<T extends string | number>(of: Kind<T>): Kind<T[]> {
  const many = list(of);
  return {
    read(term, set) {
      if (isNothing(term) || Array.isArray(term)) return many.read(term, set);
      const one = of.read(term, set);
      return one === undefined ? undefined : [one];
    },
    write: (value, set) => (set === "v1" && value?.length === 1 ? of.write(value[0], set) : many.write(value, set)),
  };
}

/** `[]`, and the atom without a name. */
function isNothing(term: Term): boolean {
  return (Array.isArray(term) && term.length === 0) || (term instanceof Atom && term.name === "");
}

function utf8(binary: Uint8Array): string {
  return asciiOf(binary) ?? decoded(binary);
}

/** Of what is short and ASCII, as most is: that is quicker than to ask for it. */
function asciiOf(binary: Uint8Array): string | undefined {
  if (binary.byteLength > shortText) return undefined;
  let read = "";
  for (let at = 0; at < binary.byteLength; at++) {
    const code = binary[at] as number;
    if (code > 127) return undefined;
    read += String.fromCharCode(code);
  }
  return read;
}

function decoded(binary: Uint8Array): string {
  try {
    return decoder.decode(binary);
  } catch {
    throw new BertError("a text that is no UTF-8");
  }
}

function wrong(what: string, term: Term): BertError {
  return new BertError(`${what} is needed, not ${term.constructor.name}`);
}
