// Names of values and fields that charts and operators document, kept in schemas/documented.json.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** 1: whatever is below is free, or somebody else's to check. */
export type Names = 1 | { [key: string]: Names };

export type Documented = Record<string, { source: string; keys: Names }>;

/** What a file of rules of Prometheus may have. */
const prometheus = {
  source: "prometheus.io/docs/prometheus/latest/configuration/alerting_rules",
  keys: { groups: { name: 1, interval: 1, rules: { alert: 1, expr: 1, for: 1, labels: 1, annotations: 1 } } },
} as const;

export const documented: Documented = {
  ...(JSON.parse(readFileSync(join(import.meta.dirname, "schemas/documented.json"), "utf8")) as Documented),
  prometheus,
};

/** Paths of an object that its chart or operator does not have. */
export function strangePaths(value: unknown, names: Names, path = ""): string[] {
  if (names === 1 || typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((one, index) => strangePaths(one, names, `${path}[${index}]`));
  return Object.entries(value).flatMap(([key, below]) => {
    const known = names[key];
    const here = path === "" ? key : `${path}.${key}`;
    return known === undefined ? [here] : strangePaths(below, known, here);
  });
}
