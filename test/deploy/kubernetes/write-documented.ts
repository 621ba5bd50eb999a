// Writes schemas/documented.json: which values charts have, and which fields resources of operators have, as names alone, to hold
// deploy/k8s/examples against. Each argument is NAME=FILE: a chart's values.yaml, or a CustomResourceDefinition.
//   node test/deploy/kubernetes/write-documented.ts nats=… redis-ha=… prometheus-adapter=… vernemq=… emqx=… mongodb=…
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Documented, Names } from "./documented.ts";
import { readYaml } from "./yaml.ts";

const sources: Record<string, string> = {
  nats: "values.yaml of the chart nats 2.14.2, github.com/nats-io/k8s",
  "redis-ha": "values.yaml of the chart redis-ha 4.39.0, github.com/DandyDeveloper/charts",
  "prometheus-adapter":
    "values.yaml of the chart prometheus-adapter 5.3.0, github.com/prometheus-community/helm-charts",
  vernemq: "values.yaml of the chart vernemq 2.1.1, github.com/vernemq/docker-vernemq",
  emqx: "CustomResourceDefinition EMQX of emqx-operator 2.2.30, github.com/emqx/emqx-operator",
  mongodb:
    "CustomResourceDefinition MongoDBCommunity of mongodb-kubernetes 1.10.1, github.com/mongodb/mongodb-kubernetes",
};

// Deeper fields of resources are Kubernetes' own: pods, volumes, affinities.
const deepest = 5;

const documented = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const [name = "", file = ""] = argument.split("=");
    const [read] = readYaml(file) as [Record<string, unknown>];
    const keys = read.kind === "CustomResourceDefinition" ? ofDefinition(read as never) : ofValues(read);
    return [name, { source: sources[name] ?? "", keys }];
  }),
) as Documented;
const lines = Object.entries(documented).map(([name, one]) => `${JSON.stringify(name)}:${JSON.stringify(one)}`);
writeFileSync(join(import.meta.dirname, "schemas/documented.json"), `{\n${lines.join(",\n")}\n}\n`);

/** A value that is empty, a list or no object may be anything. */
function ofValues(value: unknown): Names {
  if (typeof value !== "object" || value === null || Array.isArray(value) || Object.keys(value).length === 0) return 1;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, ofValues(one)]));
}

interface Field {
  properties?: Record<string, Field>;
  items?: Field;
}

function ofDefinition({
  spec,
}: {
  spec: { versions: { name: string; storage: boolean; schema: { openAPIV3Schema: Field } }[] };
}) {
  const stored = spec.versions.find(({ storage }) => storage)!;
  return ofField(stored.schema.openAPIV3Schema, 0);
}

function ofField(field: Field, depth: number): Names {
  const properties = field.properties ?? field.items?.properties;
  if (properties === undefined || depth > deepest) return 1;
  const entries = Object.entries(properties).filter(([key]) => key !== "status");
  return Object.fromEntries(entries.map(([key, one]) => [key, ofField(one, depth + 1)]));
}
