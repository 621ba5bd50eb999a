// As much of Erlang's external term format as a message of chat needs, written from the format's own document.

export interface Atom {
  atom: string;
}

/** A text is a binary, an array a list, an object with `tuple` a tuple. */
export type Term = string | number | Atom | readonly Term[] | { tuple: readonly Term[] };

export function encodeBert(term: Term): Buffer {
  return Buffer.concat([Buffer.of(131), encode(term)]);
}

function encode(term: Term): Buffer {
  if (typeof term === "string")
    return Buffer.concat([Buffer.of(109), uint32(Buffer.byteLength(term)), Buffer.from(term)]);
  if (typeof term === "number") return term < 256 ? Buffer.of(97, term) : Buffer.concat([Buffer.of(98), uint32(term)]);
  if ("atom" in term) return Buffer.concat([Buffer.of(100, 0, term.atom.length), Buffer.from(term.atom)]);
  if ("tuple" in term) return Buffer.concat([Buffer.of(104, term.tuple.length), ...term.tuple.map(encode)]);
  if (term.length === 0) return Buffer.of(106);
  return Buffer.concat([Buffer.of(108), uint32(term.length), ...term.map(encode), Buffer.of(106)]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
