// The port Documents: named collections of JSON documents with declared indexes.

/** What a document's indexed field may hold. One type a field; text sorts by its UTF-8 bytes. */
export type IndexValue = string | number | boolean;

/** Field names, outermost first; a dot reaches into an object: `"profile.email"`. */
export type IndexFields = readonly string[];

export type IndexDefinition = IndexFields | { fields: IndexFields; unique?: boolean };

/**
 * `name`: `^[a-z][a-z0-9_]{0,62}$`, but not `messages` or `meta`; index names and fields: letters, digits, `_`.
 * A document in which a field of an index is missing or null is not in that index: `find` does not see it through it, and
 * a unique index does not mind it. Text of more than 1,024 characters is not indexed on every engine.
 */
export type CollectionDefinition<_T extends object = object> = {
  name: string;
  indexes?: Readonly<Record<string, IndexDefinition>>;
};

/** `version` changes with every write of the document; compare it, do not count with it. */
export type Versioned<T> = { key: string; version: number; doc: T };

export type FindQuery = {
  /** A declared index; without one: by key. */
  index?: string;
  /** Values of the index's leading fields. */
  equals?: readonly IndexValue[];
  /** Bounds on the next field: ≥ from, > after, ≤ to, < before. They are about values, whatever the order. */
  from?: IndexValue;
  after?: IndexValue;
  to?: IndexValue;
  before?: IndexValue;
  /** By the fields after `equals`, then by key. Default "asc". */
  order?: "asc" | "desc";
  limit: number;
  /** `next` of the page before, for the same query. */
  page?: string;
};

/** `next`: the token of the page after; null: this was the last one. Documents inserted meanwhile shift nothing. */
export type Page<T> = { items: Versioned<T>[]; next: string | null };

/** Keys: 1 … 512 bytes of well-formed Unicode without NUL, else `invalid_key`. Writes resolve when they are durable. */
export interface Collection<T extends object> {
  get(key: string): Promise<Versioned<T> | undefined>;

  getMany(keys: readonly string[]): Promise<Map<string, Versioned<T>>>;

  /** false: the key, or a value of a unique index, is taken. */
  insert(key: string, doc: T): Promise<boolean>;

  /**
   * false: the document is gone or no longer at `ifVersion`. A value of a unique index that is taken is `duplicate_key`
   * (details: index).
   */
  update(key: string, doc: T, ifVersion: number): Promise<boolean>;

  /**
   * Many at once, whatever was there before: for projections with one writer. Each document is stored whole or stays as it
   * was; when it rejects, any of them may be stored: the writer puts them again, or folds them again from where its mark
   * is, which it moves only after a `put` has resolved. A value of a unique index that is taken is `duplicate_key`.
   */
  put(entries: readonly { key: string; doc: T }[]): Promise<void>;

  /**
   * Many at once, each by itself: stored if the document is at `ifVersion` or is gone, without `ifVersion` only if there
   * is none. One answer each, in order; false also where a value of a unique index is taken. Keys occur once. When it
   * rejects, any of them may be stored.
   */
  writeMany(entries: readonly { key: string; doc: T; ifVersion?: number }[]): Promise<boolean[]>;

  /** false: there was none, or it is no longer at `ifVersion`. */
  remove(key: string, ifVersion?: number): Promise<boolean>;

  /** Throws `invalid_page` for a token that is not of this query. */
  find(query: FindQuery): Promise<Page<T>>;
}

export interface Documents {
  /**
   * Opens the collection; declared indexes are created, changed ones built again. Others are dropped where nobody else has the store
   * open, and stay where a newer version may be using them.
   */
  collection<T extends object>(definition: CollectionDefinition<T>): Promise<Collection<T>>;

  /** The collections that are stored, by name, with the indexes they have; makes none. */
  definitions(): Promise<CollectionDefinition[]>;
}
