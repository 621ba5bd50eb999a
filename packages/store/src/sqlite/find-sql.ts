// A find as SQL: an index's expressions, the bounds, and where the page before ended.
import type { SQLInputValue } from "node:sqlite";
import type { Index } from "../definition.ts";
import type { FindQuery, IndexValue } from "../documents.ts";
import { readPage } from "../page-token.ts";

export type Find = { sql: string; values: SQLInputValue[]; position: (key: string, doc: object) => IndexValue[] };

/** The expression that an index holds of a field. */
export function fieldSql(field: string): string {
  const path = field.split(".").map((name) => `."${name}"`);
  return `json_extract(doc, '$${path.join("")}')`;
}

/**
 * Selects one row more than `limit`: whether there is a next page. `LIMIT +?` everywhere: a statement with `LIMIT ?` is prepared anew each time
 * (findings/node-sqlite-bound-limit.sh).
 */
export function findSql(collection: string, table: string, index: Index | undefined, query: FindQuery): Find {
  const { equals = [], order = "asc", limit, page } = query;
  const fields = index?.fields ?? [];
  if (equals.length > fields.length) throw new TypeError(`${collection}: more values than the index has fields`);
  const rest = fields.slice(equals.length);
  // The values of a unique index tell documents apart by themselves.
  const byKey = !index?.unique;
  const sortedBy = [...rest.map(fieldSql), ...(byKey ? ["key"] : [])];
  const where = fields.map((field) => `${fieldSql(field)} IS NOT NULL`);
  const values: SQLInputValue[] = [];
  const add = (condition: string, ...bound: IndexValue[]) => {
    where.push(condition);
    values.push(...bound.map(toSql));
  };
  for (const [place, value] of equals.entries()) add(`${fieldSql(fields[place]!)} = ?`, value);
  for (const [bound, operator] of bounds) {
    const value = query[bound];
    if (value === undefined) continue;
    if (sortedBy[0] === undefined) throw new TypeError(`${collection}: no field is left for ${bound}`);
    add(`${sortedBy[0]} ${operator} ?`, value);
  }
  if (page !== undefined) {
    const position = readPage(collection, { ...query, page }, sortedBy.length);
    const marks = position.map(() => "?").join(", ");
    if (position.length > 0) add(`(${sortedBy.join(", ")}) ${order === "asc" ? ">" : "<"} (${marks})`, ...position);
  }
  const sql = `SELECT key, version, doc FROM ${table}
    ${index ? `INDEXED BY ${indexSqlName(collection, index.name)}` : ""}
    ${where.length > 0 ? `WHERE ${where.join(" AND ")}` : ""}
    ${sortedBy.length > 0 ? `ORDER BY ${sortedBy.map((expression) => `${expression} ${order}`).join(", ")}` : ""} LIMIT +?`;
  const position = (key: string, doc: object) => [...rest.map((field) => valueAt(doc, field)), ...(byKey ? [key] : [])];
  return { sql, values: [...values, limit + 1], position };
}

export function indexSqlName(collection: string, index: string): string {
  return `"${collection}.${index}"`;
}

const bounds = [
  ["from", ">="],
  ["after", ">"],
  ["to", "<="],
  ["before", "<"],
] as const;

// SQLite holds JSON's true and false as 1 and 0.
function toSql(value: IndexValue): SQLInputValue {
  return typeof value === "boolean" ? Number(value) : value;
}

function valueAt(doc: object, field: string): IndexValue {
  let value: unknown = doc;
  for (const name of field.split(".")) value = (value as Record<string, unknown>)[name];
  return value as IndexValue;
}
