// The port Documents on MongoDB: one collection each.
import { type Document, MongoError } from "mongodb";
import { type Index, readDefinition } from "../definition.ts";
import type { Collection, CollectionDefinition, Documents, IndexDefinition } from "../documents.ts";
import { each } from "../each.ts";
import { StoreError } from "../store-error.ts";
import { MongoDocumentCollection } from "./collection.ts";
import { ensureIndexes, storedIndexes, type WantedIndex } from "./indexes.ts";
import { serverCodes } from "./mongo-error.ts";
import type { Operations } from "./operations.ts";
import { searchPrefix } from "./search-names.ts";
import { fieldPath, hasFields } from "./stored-document.ts";

const listedAtOnce = 8;

export class MongoDocuments implements Documents {
  readonly #operations: Operations;
  readonly #builder: Operations;
  readonly #prefix: string;
  readonly #own: ReadonlySet<string>;

  /** `builder` waits as long as an index takes. `own`: names of the prefix's collections that hold no documents. */
  constructor(parts: { operations: Operations; builder: Operations; prefix: string; own: readonly string[] }) {
    this.#operations = parts.operations;
    this.#builder = parts.builder;
    this.#prefix = parts.prefix;
    this.#own = new Set(parts.own);
  }

  async collection<T extends object>(definition: CollectionDefinition<T>): Promise<Collection<T>> {
    const indexes = readDefinition(definition);
    const { name } = definition;
    const wanted = [...indexes.values()].map(wantedIndex);
    try {
      await this.#builder.run(async (db) => {
        await db.createCollection(`${this.#prefix}${name}`).catch(ignoreExisting);
        await ensureIndexes(db.collection(`${this.#prefix}${name}`), wanted);
      });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === "duplicate_key")) throw error;
      const message = `collection ${name}: an index cannot be unique: stored documents share a value`;
      throw new StoreError("duplicate_key", message, { cause: error });
    }
    return new MongoDocumentCollection<T>(this.#operations, this.#prefix, name, indexes);
  }

  async definitions(): Promise<CollectionDefinition[]> {
    const names = await listNames(this.#operations, this.#prefix);
    const documents = names.filter((name) => !this.#own.has(name) && !name.startsWith(searchPrefix)).sort();
    return each(documents, listedAtOnce, (name) =>
      this.#operations.run(async (db) => {
        const stored = await storedIndexes(db.collection(`${this.#prefix}${name}`));
        const declared = stored.filter(isOfFields).map((index) => [index.name, definitionOf(index)] as const);
        declared.sort(([one], [other]) => (one < other ? -1 : 1));
        return { name, indexes: Object.fromEntries(declared) };
      }),
    );
  }
}

/** Names of the collections that begin with the prefix, without it. */
export async function listNames(operations: Operations, prefix: string): Promise<string[]> {
  const all = await operations.run((db) => db.listCollections({}, { nameOnly: true }).toArray());
  return all.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => name.slice(prefix.length));
}

// A compound sparse index holds documents that have any of its fields: `find` asks for all of them, a unique one must.
function wantedIndex({ name, fields, unique }: Index): WantedIndex {
  const paths = [...fields.map(fieldPath), ...(unique ? [] : ["_id"])];
  const key = Object.fromEntries(paths.map((path) => [path, 1 as const]));
  if (unique && fields.length > 1) return { name, key, unique, partialFilterExpression: hasFields(fields) };
  return { name, key, ...(unique && { unique }), sparse: true };
}

function definitionOf({ key, unique }: Document): IndexDefinition {
  const paths = Object.keys(key).filter((path) => path !== "_id");
  const fields = paths.map((path) => path.slice(fieldPath("").length));
  return unique ? { fields, unique } : fields;
}

function isOfFields({ key }: Document): boolean {
  return Object.keys(key)[0]?.startsWith(fieldPath("")) ?? false;
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof MongoError) || error.code !== serverCodes.namespaceExists) throw error;
}
