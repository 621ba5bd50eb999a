// A find as a filter: an index's fields, the bounds, and where the page before ended.
import type { Filter, Sort } from "mongodb";
import type { Index } from "../definition.ts";
import type { FindQuery, IndexValue } from "../documents.ts";
import { readPage } from "../page-token.ts";
import { fieldPath, hasFields, type StoredDocument, valueAt } from "./stored-document.ts";

export type Find = {
  filter: Filter<StoredDocument>;
  sort: Sort;
  position: (document: StoredDocument) => IndexValue[];
};

type Conditions = Record<string, Record<string, unknown>>;

export function findFilter(collection: string, index: Index | undefined, query: FindQuery): Find {
  const { equals = [], order = "asc", page } = query;
  const fields = index?.fields ?? [];
  if (equals.length > fields.length) throw new TypeError(`${collection}: more values than the index has fields`);
  const rest = fields.slice(equals.length);
  // The values of a unique index tell documents apart by themselves.
  const sortedBy = [...rest.map(fieldPath), ...(index?.unique ? [] : ["_id"])];
  const conditions: Conditions = hasFields(rest);
  for (const [place, value] of equals.entries()) conditions[fieldPath(fields[place]!)] = { $eq: value };
  for (const [bound, operator] of bounds) {
    const value = query[bound];
    if (value === undefined) continue;
    if (sortedBy[0] === undefined) throw new TypeError(`${collection}: no field is left for ${bound}`);
    conditions[sortedBy[0]] = { ...conditions[sortedBy[0]], [operator]: value };
  }
  const position = (document: StoredDocument) =>
    sortedBy.map((path) => (path === "_id" ? document._id : valueAt(document, path.slice("fields.".length))));
  return {
    filter:
      page === undefined
        ? conditions
        : behind(conditions, sortedBy, order, readPage(collection, { ...query, page }, sortedBy.length)),
    // The leading fields are equal; named all the same, they let the index give the order.
    sort: Object.fromEntries(
      [...fields.slice(0, equals.length).map(fieldPath), ...sortedBy].map((path) => [path, order]),
    ),
    position,
  };
}

// (a, b, key) > (x, y, z) as a > x, or a = x and b > y, or a = x and b = y and key > z: each is one range of the index,
// and MongoDB merges them in order.
function behind(
  conditions: Conditions,
  sortedBy: readonly string[],
  order: "asc" | "desc",
  position: readonly IndexValue[],
): Filter<StoredDocument> {
  const operator = order === "asc" ? "$gt" : "$lt";
  const ranges = sortedBy.map((path, at) => {
    const range = { ...conditions };
    for (const [before, equal] of sortedBy.slice(0, at).entries())
      range[equal] = { ...range[equal], $eq: position[before] };
    range[path] = both(range[path], operator, position[at] as IndexValue);
    return range;
  });
  if (ranges.length === 0) return conditions;
  return (ranges.length === 1 ? ranges[0] : { $or: ranges }) as Filter<StoredDocument>;
}

// The query may have a bound of the same kind: the nearer one counts.
function both(condition: Record<string, unknown> = {}, operator: "$gt" | "$lt", value: IndexValue) {
  return { ...condition, [operator]: value };
}

const bounds = [
  ["from", "$gte"],
  ["after", "$gt"],
  ["to", "$lte"],
  ["before", "$lt"],
] as const;
