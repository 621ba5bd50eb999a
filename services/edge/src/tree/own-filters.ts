// Which filters a device with a tree has: the broker and presence keep each, so they are bounded.

export interface OwnFilters {
  all(): Iterable<string>;
  has(filter: string): boolean;
  /** True also where nobody knows. */
  mayHave(filter: string): boolean;
  /** false: it would be one too many */
  add(filter: string): boolean;
  delete(filter: string): void;
  /** Its subscription ended: false when it is known that there was none. */
  forget(filter: string): boolean;
}

const countMax = 1000;
const charactersMax = 128 * 1024;

/** `known`: those of its session before; undefined where nobody could say. */
export function openOwnFilters(known: readonly string[] | undefined): OwnFilters {
  const filters = new Set<string>();
  let characters = 0;
  const add = (filter: string): boolean => {
    if (filters.has(filter)) return true;
    if (filters.size >= countMax || characters + filter.length > charactersMax) return false;
    filters.add(filter);
    characters += filter.length;
    return true;
  };
  const remove = (filter: string): boolean => {
    if (!filters.delete(filter)) return false;
    characters -= filter.length;
    return true;
  };
  for (const filter of known ?? []) add(filter);
  return {
    all: () => filters.keys(),
    has: (filter) => filters.has(filter),
    mayHave: (filter) => known === undefined || filters.has(filter),
    add,
    delete: remove,
    forget: (one) => remove(one) || known === undefined,
  };
}
