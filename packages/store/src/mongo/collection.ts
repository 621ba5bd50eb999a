// One collection of the port Documents on MongoDB.
import type { Collection as MongoCollection } from "mongodb";
import { type Index, indexOfQuery } from "../definition.ts";
import { checkKey } from "../document-key.ts";
import type { Collection, FindQuery, Page, Versioned } from "../documents.ts";
import { chunks, each } from "../each.ts";
import { firstVersion } from "../first-version.ts";
import { writePage } from "../page-token.ts";
import { StoreError } from "../store-error.ts";
import { findFilter } from "./find-filter.ts";
import { serverCodes } from "./mongo-error.ts";
import type { Operations, WriteError } from "./operations.ts";
import { fromStored, type StoredDocument, toStored } from "./stored-document.ts";

/** One conditional replacement: what it replaces, and by what. */
type Replacement = { filter: { _id: string; version?: number }; document: StoredDocument };

const batchMost = 500;
const batchBytesMost = 8 * 1024 * 1024;
const keysAQuery = 1_000;
const queriesMost = 4;
// Two upserts of a new key at once: one of them is told 11000 and finds the document there.
const upsertTries = 3;

export class MongoDocumentCollection<T extends object> implements Collection<T> {
  readonly #operations: Operations;
  readonly #name: string;
  readonly #stored: string;
  readonly #documents: MongoCollection<StoredDocument>;
  readonly #indexes: ReadonlyMap<string, Index>;

  constructor(operations: Operations, prefix: string, name: string, indexes: ReadonlyMap<string, Index>) {
    this.#operations = operations;
    this.#name = name;
    this.#stored = `${prefix}${name}`;
    this.#documents = operations.db.collection(this.#stored);
    this.#indexes = indexes;
  }

  async get(key: string): Promise<Versioned<T> | undefined> {
    return (await this.getMany([key])).get(key);
  }

  async getMany(keys: readonly string[]): Promise<Map<string, Versioned<T>>> {
    const queries = chunks([...new Set(keys.map(checkKey))], keysAQuery);
    const found = await each(queries, queriesMost, (some) =>
      this.#operations.run(() =>
        this.#documents
          .find({ _id: some.length === 1 ? some[0]! : { $in: some } }, { projection: { fields: 0 } })
          .toArray(),
      ),
    );
    return new Map(found.flat().map((document) => [document._id, fromStored<T>(document as StoredDocument)]));
  }

  async insert(key: string, doc: T): Promise<boolean> {
    const documents = [toStored(checkKey(key), doc, firstVersion())];
    const { writeErrors = [] } = await this.#operations.write({ insert: this.#stored, documents });
    return !this.#isTaken(writeErrors[0]);
  }

  async update(key: string, doc: T, ifVersion: number): Promise<boolean> {
    const filter = { _id: checkKey(key), version: ifVersion };
    const updates = [{ q: filter, u: toStored(key, doc, ifVersion + 1) }];
    const { n, writeErrors = [] } = await this.#operations.write({ update: this.#stored, updates });
    if (this.#isTaken(writeErrors[0])) throw this.#taken(writeErrors[0]);
    return n === 1;
  }

  async put(entries: readonly { key: string; doc: T }[]): Promise<void> {
    const last = new Map(entries.map(({ key, doc }) => [checkKey(key), doc]));
    let left = [...last].map(
      ([key, doc]): Replacement => ({ filter: { _id: key }, document: toStored(key, doc, firstVersion()) }),
    );
    for (let tries = 1; left.length > 0; tries++) {
      const refusals = await this.#replace(left);
      const refusal = refusals.find((error) => tries === upsertTries || indexIn(error.errmsg) !== "_id_");
      if (refusal) throw this.#taken(refusal);
      left = refusals.map(({ index }) => left[index] as Replacement);
    }
  }

  async writeMany(entries: readonly { key: string; doc: T; ifVersion?: number }[]): Promise<boolean[]> {
    const replacements = entries.map(({ key, doc, ifVersion }): Replacement => {
      // No document has version 0: without `ifVersion` only a new one is written.
      const filter = { _id: checkKey(key), version: ifVersion ?? 0 };
      return { filter, document: toStored(key, doc, ifVersion === undefined ? firstVersion() : ifVersion + 1) };
    });
    const written = entries.map(() => true);
    for (const { index } of await this.#replace(replacements)) written[index] = false;
    return written;
  }

  async remove(key: string, ifVersion?: number): Promise<boolean> {
    const q = { _id: checkKey(key), ...(ifVersion !== undefined && { version: ifVersion }) };
    const { n } = await this.#operations.write({ delete: this.#stored, deletes: [{ q, limit: 1 }] });
    return n === 1;
  }

  async find(query: FindQuery): Promise<Page<T>> {
    const index = indexOfQuery(this.#name, this.#indexes, query);
    const { filter, sort, position } = findFilter(this.#name, index, query);
    // One more than asked for: whether there is a next page. The index is named, not left to be chosen.
    const options = {
      sort,
      limit: query.limit + 1,
      batchSize: Math.min(query.limit + 1, batchMost),
      hint: index?.name ?? "_id_",
    };
    const found = await this.#operations.run(() => this.#documents.find(filter, options).toArray());
    const last = found[query.limit - 1];
    if (found.length <= query.limit || !last) return { items: found.map((one) => fromStored<T>(one)), next: null };
    const items = found.slice(0, -1).map((one) => fromStored<T>(one));
    return { items, next: writePage(this.#name, query, position(last)) };
  }

  // Each by itself, in commands of a bounded size. Answers those that a unique value refused, `index` counted over all.
  async #replace(replacements: readonly Replacement[]): Promise<WriteError[]> {
    const refused: WriteError[] = [];
    for (let at = 0; at < replacements.length; ) {
      const updates = [];
      for (let bytes = 0; at + updates.length < replacements.length && updates.length < batchMost; ) {
        const { filter, document } = replacements[at + updates.length] as Replacement;
        bytes += document.json.length * 2;
        if (bytes > batchBytesMost && updates.length > 0) break;
        updates.push({ q: filter, u: document, upsert: true });
      }
      const { writeErrors = [] } = await this.#operations.write({ update: this.#stored, updates, ordered: false });
      for (const error of writeErrors) if (this.#isTaken(error)) refused.push({ ...error, index: error.index + at });
      at += updates.length;
    }
    return refused;
  }

  #isTaken(error: WriteError | undefined): error is WriteError {
    if (error === undefined || error.code === serverCodes.duplicateKey) return error !== undefined;
    const full = error.code === serverCodes.outOfDiskSpace;
    throw new StoreError(full ? "full" : "unavailable", `${this.#stored}: ${error.errmsg} (${error.code})`);
  }

  #taken({ errmsg }: WriteError): StoreError {
    const index = indexIn(errmsg);
    return new StoreError("duplicate_key", `collection ${this.#name}: a value of ${index} is taken`, {
      details: { collection: this.#name, index },
    });
  }
}

// "E11000 duplicate key error collection: d.c index: byEmail dup key: …"
function indexIn(message: string): string {
  return /index: (\S+)/.exec(message)?.[1] ?? "unknown";
}
