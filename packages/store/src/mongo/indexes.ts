// Brings a collection's indexes to what is declared: missing ones are built, changed ones built again, others dropped.
import type { Collection, Document, IndexDescription } from "mongodb";
import { MongoServerError } from "mongodb";
import { serverCodes } from "./mongo-error.ts";

export type WantedIndex = {
  name: string;
  key: Readonly<Record<string, 1>>;
  unique?: boolean;
  sparse?: boolean;
  partialFilterExpression?: Document;
};

/**
 * `isOurs`: only such indexes are dropped; a shard key's, or one that an operator made, stays.
 * Several replicas may do this at once: what another did meanwhile is done.
 */
export async function ensureIndexes(
  collection: Collection,
  wanted: readonly WantedIndex[],
  isOurs: (index: Document) => boolean,
): Promise<void> {
  const missing = new Map(wanted.map((index) => [index.name, index]));
  for (const stored of await storedIndexes(collection)) {
    const index = missing.get(stored.name);
    if (index && isSame(index, stored)) missing.delete(stored.name);
    else if (index || isOurs(stored)) await dropIndex(collection, stored.name);
  }
  if (missing.size > 0) await collection.createIndexes([...missing.values()] as IndexDescription[]);
}

/** None for a collection that is not there. */
export async function storedIndexes(collection: Collection): Promise<Document[]> {
  try {
    return (await collection.listIndexes().toArray()).filter(({ name }) => name !== "_id_");
  } catch (error) {
    if (error instanceof MongoServerError && error.code === serverCodes.namespaceNotFound) return [];
    throw error;
  }
}

async function dropIndex(collection: Collection, name: string): Promise<void> {
  try {
    await collection.dropIndex(name);
  } catch (error) {
    if (!(error instanceof MongoServerError && error.code === serverCodes.indexNotFound)) throw error;
  }
}

function isSame(wanted: WantedIndex, stored: Document): boolean {
  return describe(wanted) === describe(stored);
}

function describe({ key, unique = false, sparse = false, partialFilterExpression = null }: Document): string {
  return JSON.stringify([
    Object.entries(key).map(([path, way]) => [path, Number(way)]),
    unique,
    sparse,
    partialFilterExpression,
  ]);
}
