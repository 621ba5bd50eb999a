// What is wrong with a question, as its method's schema says: types, spelling, bounds, what is missing and what is unknown.
import { AppError, checkOf, type JsonObject, limits } from "@parley/protocol";
import type { TSchema } from "typebox";
import type { AnyMethod } from "./doors.ts";

export interface BadParams {
  title: string;
  params: JsonObject;
}

interface Schema {
  type?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  maxItems?: number;
  minItems?: number;
  items?: Schema;
}

/** Every question that differs from a right one in one thing and is `invalid_packet`. */
export function badParams({ name, params: schema }: AnyMethod, right: JsonObject): BadParams[] {
  const required = new Set(schema.required ?? []);
  // In a message unknown fields pass through.
  const isStrict = (schema as { additionalProperties?: boolean }).additionalProperties === false;
  return [
    ...(isStrict ? [{ title: "an unknown field", params: { ...right, surplus: 1 } }] : []),
    ...Object.entries(schema.properties).flatMap(([field, own]) => {
      const known = checkOf(own as TSchema);
      const isWrong = (value: unknown) => value !== undefined && known(value) instanceof AppError;
      const bad = Object.entries(badValues(own as Schema, right[field]))
        .filter(([, value]) => isWrong(value))
        .map(([what, value]) => ({ title: `${field}: ${what}`, params: { ...right, [field]: value } as JsonObject }));
      const { [field]: _, ...rest } = right;
      return required.has(field) ? [...bad, { title: `${field}: missing`, params: rest as JsonObject }] : bad;
    }),
  ].filter(({ params }) => fits(name, params));
}

function badValues(schema: Schema, right: unknown): Record<string, unknown> {
  const { maxLength, minLength, minimum, maximum, maxItems, minItems, type } = schema;
  const isText = type === "string";
  // No JSON reader keeps the number behind the largest exact one.
  const above = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum + 1 : undefined;
  return {
    "another type": isText ? 7 : "neither",
    "an object": { a: 1 },
    null: null,
    "not its spelling": isText ? "\u0007" : undefined,
    "too long": isText ? "x".repeat((maxLength ?? 200) + 1) : undefined,
    "too short": isText && minLength ? "" : undefined,
    "too small": minimum === undefined ? undefined : minimum - 1,
    "too large": above,
    "not whole": type === "integer" ? 1.5 : undefined,
    "too many": maxItems === undefined ? undefined : manyItems(schema, right, maxItems + 1),
    "too few": minItems ? [] : undefined,
    "another type in it": type === "array" ? [{ a: 1 }] : undefined,
  };
}

function manyItems({ items }: Schema, right: unknown, count: number): unknown[] {
  const [first] = Array.isArray(right) ? right : [];
  const isNumber = items?.type === "integer";
  return Array.from({ length: count }, (_, index) => (isNumber ? index + 1 : `${first ?? "item"}${index}`));
}

// Beyond that a packet is refused as a whole, which its own test sees.
function fits(name: string, params: JsonObject): boolean {
  return JSON.stringify({ id: "request00000", method: name, params }).length < limits.packetBytes * 2 - 1_024;
}
