// The params of a method from its HTTP request: path, then query (GET, DELETE) or JSON body (POST, PUT).
import { AppError, type JsonObject, type Method } from "@parley/protocol";
import type { TObject, TSchema } from "typebox";

export interface HttpParts {
  path: Record<string, string>;
  query: Record<string, string | string[]>;
  body: JsonObject | undefined;
}

type Field = { type?: string; items?: Field };

/** The method's params, checked; or what is wrong and where. */
export function readParams(method: Method<TObject, TSchema>, { path, query, body }: HttpParts): object | AppError {
  const byQuery = method.http.verb === "GET" || method.http.verb === "DELETE";
  if (byQuery && body !== undefined && Object.keys(body).length > 0)
    return new AppError("invalid_packet", `${method.http.verb} takes no body; its parameters stand in the query`);
  const misplaced = byQuery ? undefined : Object.keys(query)[0];
  if (misplaced !== undefined)
    return new AppError("invalid_packet", `unknown field ${misplaced.slice(0, 80)} in the query; send it in the body`);
  const given: JsonObject | AppError = byQuery ? convertQuery(method.params, query) : (body ?? {});
  if (given instanceof AppError) return given;
  const properties = method.params.properties as Record<string, Field>;
  const placed = Object.entries(path).map(([name, text]) => [name, convertText(properties[name], text)] as const);
  const other = placed.find(([name, value]) => Object.hasOwn(given, name) && given[name] !== value);
  if (other) return new AppError("invalid_packet", `${other[0]} stands in the path; it cannot be given otherwise`);
  return method.checkParams({ ...given, ...Object.fromEntries(placed) });
}

function convertQuery(schema: TObject, query: HttpParts["query"]): JsonObject | AppError {
  const fields = schema.properties as Record<string, Field>;
  const fieldOf = (name: string) => (Object.hasOwn(fields, name) ? fields[name] : undefined);
  const entries = Object.entries(query);
  const twice = entries.find(([name, value]) => Array.isArray(value) && fieldOf(name)?.type !== "array");
  if (twice) return new AppError("invalid_packet", `${twice[0].slice(0, 80)} is given twice`);
  // fromEntries makes `__proto__` a field like any other, for the check to refuse.
  return Object.fromEntries(
    entries.map(([name, value]) => {
      const field = fieldOf(name);
      if (field?.type !== "array") return [name, convertText(field, value as string)];
      return [name, [value].flat().map((one) => convertText(field.items, one))];
    }),
  );
}

// Only what is written as a number or boolean becomes one; the rest is left for the check to refuse.
function convertText(field: Field | undefined, text: string): unknown {
  if (field?.type === "integer" && /^-?\d{1,15}$/.test(text)) return Number(text);
  if (field?.type === "number" && /^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  if (field?.type === "boolean" && (text === "true" || text === "false")) return text === "true";
  return text;
}
