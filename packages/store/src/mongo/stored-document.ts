// A document as MongoDB holds it: the JSON text, and beside it the fields that an index may name.
import type { IndexFields, IndexValue, Versioned } from "../documents.ts";

/**
 * `json` is what is read: any JSON comes back as it was, whatever its names ("a.b", "$set"), and it is read several times
 * faster than BSON. `fields` repeats the values that an index can hold, so that an index declared later finds them there.
 */
export type StoredDocument = { _id: string; version: number; json: string; fields: Fields };

type Fields = { [name: string]: IndexValue | Fields };

const namePattern = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** Longer text is not in an index: MongoDB's own limit was 1,024 bytes a key for long. */
const indexedTextMost = 1_024;

export function toStored(key: string, doc: object, version: number): StoredDocument {
  return { _id: key, version, json: JSON.stringify(doc), fields: indexable(doc) };
}

export function fromStored<T>({ _id, version, json }: StoredDocument): Versioned<T> {
  return { key: _id, version, doc: JSON.parse(json) };
}

/** Where an index finds a field. */
export function fieldPath(field: string): string {
  return `fields.${field}`;
}

export function valueAt({ fields }: StoredDocument, field: string): IndexValue {
  let value: unknown = fields;
  for (const name of field.split(".")) value = (value as Record<string, unknown>)[name];
  return value as IndexValue;
}

/** In an index are the documents that have all of its fields. */
export function hasFields(fields: IndexFields): Record<string, { $exists: true }> {
  return Object.fromEntries(fields.map((field) => [fieldPath(field), { $exists: true }]));
}

function indexable(doc: object): Fields {
  const found: Fields = {};
  for (const [name, value] of Object.entries(doc)) {
    if (!namePattern.test(name) || name === "__proto__") continue;
    if (isValue(value)) found[name] = value;
    else if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const inner = indexable(value);
      if (Object.keys(inner).length > 0) found[name] = inner;
    }
  }
  return found;
}

function isValue(value: unknown): value is IndexValue {
  if (typeof value === "string") return value.length <= indexedTextMost;
  return typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
