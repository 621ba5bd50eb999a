// Metrics of one service: a registry with the process's own figures and short ways to add to it.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";

export type { Counter, Gauge, Histogram, Registry } from "prom-client";

/** A registry that labels everything with the service and holds Node's process metrics. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}

/** A counter `parley_{name}` on `registry`. */
export function counter<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[] = [],
) {
  return new Counter<Label>({ name: `parley_${name}`, help, labelNames: [...labelNames], registers: [registry] });
}

/** A gauge `parley_{name}` that is read when it is asked for: a number, or with `label` one for each of its values. */
export function gauge(registry: Registry, name: string, help: string, read: () => number): Gauge;
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => ReadonlyMap<string, number>,
  label: string,
): Gauge;
export function gauge(
  registry: Registry,
  name: string,
  help: string,
  read: () => number | ReadonlyMap<string, number>,
  label = "",
) {
  return new Gauge({
    name: `parley_${name}`,
    help,
    labelNames: label === "" ? [] : [label],
    registers: [registry],
    collect() {
      const values = read();
      if (typeof values === "number") return this.set(values);
      this.reset();
      for (const [value, number] of values) this.set({ [label]: value }, number);
    },
  });
}

/** A histogram `parley_{name}`; `buckets` in the unit that the name ends in, by default 1 ms to 10 s for `_seconds`. */
export function histogram<Label extends string = never>(
  registry: Registry,
  name: string,
  help: string,
  options: { labelNames?: readonly Label[]; buckets?: readonly number[] } = {},
) {
  const { labelNames = [], buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] } =
    options;
  return new Histogram<Label>({
    name: `parley_${name}`,
    help,
    labelNames: [...labelNames],
    buckets: [...buckets],
    registers: [registry],
  });
}
