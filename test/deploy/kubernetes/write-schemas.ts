// Writes schemas/kubernetes.json: of Kubernetes' own OpenAPI document the definitions of those kinds that deploy/k8s uses.
//   go mod download -json k8s.io/kubernetes@v1.34.4      (tells a folder, "Dir")
//   node test/deploy/kubernetes/write-schemas.ts 1.34.4 DIR/api/openapi-spec/swagger.json
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Schema, Schemas } from "./schemas.ts";

const kinds = [
  "io.k8s.api.apps.v1.Deployment",
  "io.k8s.api.apps.v1.StatefulSet",
  "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  "io.k8s.api.batch.v1.CronJob",
  "io.k8s.api.batch.v1.Job",
  "io.k8s.api.core.v1.ConfigMap",
  "io.k8s.api.core.v1.Namespace",
  "io.k8s.api.core.v1.Secret",
  "io.k8s.api.core.v1.Service",
  "io.k8s.api.core.v1.ServiceAccount",
  "io.k8s.api.networking.v1.Ingress",
  "io.k8s.api.networking.v1.NetworkPolicy",
  "io.k8s.api.policy.v1.PodDisruptionBudget",
];

// What checks and merges need; descriptions are most of the document.
const keywords = new Set(["type", "format", "required", "items", "properties", "additionalProperties", "enum", "$ref"]);
const mergeKeywords = new Set(["x-kubernetes-patch-merge-key", "x-kubernetes-patch-strategy"]);

const [version = "", file = ""] = process.argv.slice(2);
const { definitions } = JSON.parse(readFileSync(file, "utf8")) as { definitions: Record<string, Schema> };
const kept: Record<string, Schema> = {};
for (const name of kinds) keep(name);

const head: Omit<Schemas, "definitions"> = {
  source: `Kubernetes ${version}, api/openapi-spec/swagger.json of the Go module k8s.io/kubernetes, descriptions left out`,
  licence: "Apache-2.0",
  kinds: Object.fromEntries(kinds.flatMap((name) => groupsOf(name).map((group) => [group, name]))),
};
const lines = Object.keys(kept)
  .sort()
  .map((name) => `${JSON.stringify(name)}:${JSON.stringify(kept[name])}`);
const start = JSON.stringify(head, null, 1).slice(0, -2);
writeFileSync(
  join(import.meta.dirname, "schemas/kubernetes.json"),
  `${start},\n "definitions":{\n${lines.join(",\n")}\n}}\n`,
);

function keep(name: string): void {
  if (name in kept) return;
  const found = definitions[name];
  if (found === undefined) throw new Error(`${file} has no definition ${name}`);
  kept[name] = reduce(found);
  for (const [, other = ""] of JSON.stringify(kept[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) keep(other);
}

function reduce(schema: Schema): Schema {
  const entries = Object.entries(schema).flatMap(([key, value]) => {
    if (mergeKeywords.has(key)) return [[key, value]];
    if (!keywords.has(key)) return [];
    if (key === "properties") {
      const properties = Object.entries(value as Record<string, Schema>);
      return [[key, Object.fromEntries(properties.map(([name, one]) => [name, reduce(one)]))]];
    }
    return [[key, key === "items" || key === "additionalProperties" ? reduce(value as Schema) : value]];
  });
  return Object.fromEntries(entries) as Schema;
}

/** `{apiVersion} {kind}` of a definition. */
function groupsOf(name: string): string[] {
  const groups = definitions[name]?.["x-kubernetes-group-version-kind"] as
    | { group: string; version: string; kind: string }[]
    | undefined;
  return (groups ?? []).map(({ group, version, kind }) => `${group === "" ? "" : `${group}/`}${version} ${kind}`);
}
