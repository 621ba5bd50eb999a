// Kubernetes' own schemas of what stands in deploy/k8s, kept in schemas/ and made strict: a field they do not know is a fault.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A schema of Kubernetes' OpenAPI document. */
export interface Schema {
  type?: string;
  format?: string;
  $ref?: string;
  items?: Schema;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema | boolean;
  "x-kubernetes-patch-merge-key"?: string;
  "x-kubernetes-patch-strategy"?: string;
  [keyword: string]: unknown;
}

export interface Schemas {
  source: string;
  licence: string;
  /** the name of a definition by `{apiVersion} {kind}` */
  kinds: Record<string, string>;
  definitions: Record<string, Schema>;
}

export const schemas: Schemas = JSON.parse(
  readFileSync(join(import.meta.dirname, "schemas/kubernetes.json"), "utf8"),
) as Schemas;

const quantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";
const intOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";

/** The definitions as a validator takes them: unknown fields are refused, and what Kubernetes takes as a number or text may be either. */
export function strictDefinitions(): Record<string, Schema> {
  const entries = Object.entries(schemas.definitions).map(([name, schema]): [string, Schema] => {
    if (name === intOrString) return [name, { anyOf: [{ type: "integer" }, { type: "string" }] }];
    if (name === quantity) return [name, { anyOf: [{ type: "number" }, { type: "string" }] }];
    if (schema.properties === undefined) return [name, schema];
    return [name, { ...schema, additionalProperties: false }];
  });
  return Object.fromEntries(entries);
}

/** A schema that stands alone, for one `{apiVersion} {kind}`; undefined: that kind is not kept. */
export function schemaOf(apiVersion: string, kind: string): Schema | undefined {
  const name = schemas.kinds[`${apiVersion} ${kind}`];
  if (name === undefined) return undefined;
  return { $ref: `#/definitions/${name}`, definitions: strictDefinitions() };
}

/** What a reference leads to. */
export function resolve(schema: Schema | undefined): Schema {
  const name = schema?.$ref?.replace("#/definitions/", "");
  return name === undefined ? (schema ?? {}) : (schemas.definitions[name] ?? {});
}
