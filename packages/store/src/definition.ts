// What a collection's definition may say, checked once for every engine.
import type { CollectionDefinition, FindQuery, IndexFields } from "./documents.ts";

/** An index in its full form. */
export type Index = { name: string; fields: IndexFields; unique: boolean };

const namePattern = /^[a-z][a-z0-9_]{0,62}$/;
// What a MongoDB store keeps beside a service's documents.
const reservedNames = new Set(["messages", "meta"]);
const indexPattern = /^[a-zA-Z][a-zA-Z0-9_]{0,62}$/;
const fieldPattern = /^[a-zA-Z_][a-zA-Z0-9_]*(\.[a-zA-Z_][a-zA-Z0-9_]*)*$/;

/** The indexes of a definition by name. Throws TypeError, as a wrong definition is a mistake in the code. */
export function readDefinition({ name, indexes = {} }: CollectionDefinition): Map<string, Index> {
  if (!namePattern.test(name)) throw new TypeError(`collection ${JSON.stringify(name)}: a name is ${namePattern}`);
  if (reservedNames.has(name)) throw new TypeError(`collection ${name}: the name is the store's own`);
  const read = new Map<string, Index>();
  for (const [indexName, definition] of Object.entries(indexes)) {
    const { fields, unique = false } = "fields" in definition ? definition : { fields: definition };
    const where = `collection ${name}, index ${JSON.stringify(indexName)}`;
    if (!indexPattern.test(indexName)) throw new TypeError(`${where}: a name is ${indexPattern}`);
    if (fields.length === 0 || new Set(fields).size < fields.length)
      throw new TypeError(`${where}: fields are missing or twice`);
    const wrong = fields.find((field) => !fieldPattern.test(field));
    if (wrong !== undefined) throw new TypeError(`${where}: a field is ${fieldPattern}, not ${JSON.stringify(wrong)}`);
    read.set(indexName, { name: indexName, fields, unique });
  }
  return read;
}

/** The index that a query names, if it names one. Throws TypeError for a query that is a mistake in the code. */
export function indexOfQuery(
  collection: string,
  indexes: ReadonlyMap<string, Index>,
  { index: name, limit }: FindQuery,
): Index | undefined {
  const index = name === undefined ? undefined : indexes.get(name);
  if (name !== undefined && !index) throw new TypeError(`${collection}: no index ${name}`);
  if (!Number.isInteger(limit) || limit < 1) throw new TypeError(`${collection}: limit is 1 or more`);
  return index;
}
