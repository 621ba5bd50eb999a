// Lays a patch over an object as Kubernetes' strategic merge does: lists whose schema has a merge key are merged by it.
import type { Resource } from "./resources.ts";
import { resolve, type Schema, schemas } from "./schemas.ts";

type Plain = Record<string, unknown>;

export function merge(resource: Resource, patch: Resource): Resource {
  const name = schemas.kinds[`${resource.apiVersion} ${resource.kind}`];
  if (name === undefined) throw new Error(`no schema of ${resource.apiVersion} ${resource.kind} is kept`);
  return mergeObjects(resource, patch, schemas.definitions[name] ?? {}) as Resource;
}

function mergeObjects(into: Plain, patch: Plain, schema: Schema): Plain {
  const merged = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    const field = schema.properties?.[key];
    const below = field ?? (typeof schema.additionalProperties === "object" ? schema.additionalProperties : {});
    if (value === null) delete merged[key];
    else if (Array.isArray(value)) merged[key] = mergeLists(merged[key], value, below);
    else if (isPlain(value) && isPlain(merged[key])) merged[key] = mergeObjects(merged[key], value, resolve(below));
    else merged[key] = value;
  }
  return merged;
}

function mergeLists(into: unknown, patch: readonly unknown[], schema: Schema): unknown[] {
  const mergeKey = schema["x-kubernetes-patch-merge-key"];
  if (!Array.isArray(into)) return [...patch];
  if (!schema["x-kubernetes-patch-strategy"]?.split(",").includes("merge")) return [...patch];
  if (mergeKey === undefined) return [...new Set([...into, ...patch])];
  const isSame = (one: unknown, other: unknown) => (one as Plain)[mergeKey] === (other as Plain)[mergeKey];
  const changed = into.map((one) => {
    const change = patch.find((other) => isSame(one, other));
    return change === undefined ? one : mergeObjects(one as Plain, change as Plain, resolve(schema.items));
  });
  return [...changed, ...patch.filter((one) => !into.some((other) => isSame(one, other)))];
}

function isPlain(value: unknown): value is Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
