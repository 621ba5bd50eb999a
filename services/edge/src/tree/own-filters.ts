// Which filters a device with a tree has: the broker and presence keep each, so they are bounded.
import { SparseSet } from "../packets/sparse.ts";

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
  return new ConnectionFilters(known);
}

/** Of a class, as there is one of each connection. */
class ConnectionFilters implements OwnFilters {
  readonly #filters = new SparseSet<string>();
  readonly #isKnown: boolean;
  #characters = 0;

  constructor(known: readonly string[] | undefined) {
    this.#isKnown = known !== undefined;
    for (const filter of known ?? []) this.add(filter);
  }

  all(): Iterable<string> {
    return this.#filters.all();
  }

  has(filter: string): boolean {
    return this.#filters.has(filter);
  }

  mayHave(filter: string): boolean {
    return !this.#isKnown || this.has(filter);
  }

  add(filter: string): boolean {
    if (this.has(filter)) return true;
    if (this.#filters.size >= countMax || this.#characters + filter.length > charactersMax) return false;
    this.#filters.add(filter);
    this.#characters += filter.length;
    return true;
  }

  delete(filter: string): void {
    if (this.#filters.delete(filter)) this.#characters -= filter.length;
  }

  forget(filter: string): boolean {
    const had = this.has(filter);
    this.delete(filter);
    return had || !this.#isKnown;
  }
}
