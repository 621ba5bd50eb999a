// A record: a tuple of a tag and fields by their places. A program's set is known by how many fields its records have; here a
// record is an object with its tag in `tup` and the fields by name.
import { Atom, BertError, type Term, Tuple } from "../bert/term.ts";
import type { Kind, RecordSet } from "./kinds.ts";

type Fields = Readonly<Record<string, Kind<unknown>>>;
type ValueOf<K> = K extends Kind<infer T> ? T : never;
type ValuesOf<F> = { -readonly [Name in keyof F]?: ValueOf<F[Name]> | undefined };

export interface RecordKind<Tag extends string, V1 extends Fields, Late extends Fields>
  extends Kind<{ tup: Tag } & ValuesOf<V1 & Late>> {
  tag: Tag;
  /** The names of its fields in a set. */
  names: Readonly<Record<RecordSet, readonly string[]>>;
  /** The names of the fields of a tuple of so many; where both sets have as many, `set` decides. */
  shape(fields: number, set: RecordSet): readonly string[] | undefined;
}

/** What is read of a record: of either set. Which fields are written is the set's. */
export type RecordOf<K> = K extends Kind<infer T> ? T : never;

/**
 * A field that stands in both sets under one name is of one kind. `others`: shapes that programs write besides, read as well.
 */
export function record<const Tag extends string, V1 extends Fields, Late extends Fields = V1>(
  tag: Tag,
  v1: V1,
  late?: Late,
  others: readonly (readonly string[])[] = [],
): RecordKind<Tag, V1, Late> {
  type Value = { tup: Tag } & ValuesOf<V1 & Late>;
  const kinds = { ...v1, ...late } as unknown as Readonly<Record<string, Kind<unknown>>>;
  const names = { v1: Object.keys(v1), late: Object.keys(late ?? v1) };
  const atom = new Atom(tag);
  const all = [names.v1, names.late, ...others];
  const shape = (fields: number, set: RecordSet) =>
    names[set].length === fields ? names[set] : all.find(({ length }) => length === fields);
  return {
    tag,
    names,
    shape,
    read(term, set) {
      const [head, ...fields] = term instanceof Tuple ? term.elements : [];
      if (Array.isArray(term) && term.length === 0) return undefined;
      if (!(head instanceof Atom && head.name === tag)) throw new BertError(`a record ${tag} is needed`);
      const shaped = shape(fields.length, set);
      if (!shaped) throw new BertError(`no ${tag} has ${fields.length} fields`);
      const value: Record<string, unknown> = { tup: tag };
      for (let at = 0; at < shaped.length; at++) {
        const name = shaped[at] as string;
        const field = readField(tag, name, kinds[name], fields[at] ?? [], set);
        if (field !== undefined) value[name] = field;
      }
      return value as Value;
    },
    write(value, set) {
      if (value === undefined) return [];
      const given = value as Record<string, unknown>;
      return new Tuple([atom, ...names[set].map((name): Term => kinds[name]?.write(given[name], set) ?? [])]);
    },
  };
}

function readField(tag: string, name: string, kind: Kind<unknown> | undefined, term: Term, set: RecordSet): unknown {
  try {
    return kind?.read(term, set);
  } catch (error) {
    if (!(error instanceof BertError) || error.message.includes(": ")) throw error;
    throw new BertError(`${tag}.${name}: ${error.message}`);
  }
}
