// Brings a collection's indexes to what is declared: missing ones are built, changed ones built again, others left.
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
 * What is not declared here may be an operator's, a shard key's, or a newer version's whose replicas find by it now: an older one that
 * starts beside them leaves it. Of one name the two would build theirs by turns: a changed index has a new name.
 * Several replicas may do this at once: what another did meanwhile is done.
 */
export async function ensureIndexes(collection: Collection, wanted: readonly WantedIndex[]): Promise<void> {
  const missing = new Map(wanted.map((index) => [index.name, index]));
  for (const stored of await storedIndexes(collection)) {
    const index = missing.get(stored.name);
    if (!index) continue;
    if (isSame(index, stored)) missing.delete(stored.name);
    else await dropIndex(collection, stored.name);
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
