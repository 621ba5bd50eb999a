// What replicas are counted by: figures that the very service tells at /metrics, and no more replicas than have something to do.
import { ingestPartitions } from "@parley/protocol/partition";
import { createMetrics } from "@parley/runtime";
import { operationsTables } from "../../../documents/operations.ts";
import type { Resource } from "../resources.ts";
import { workloadsOf } from "./containers.ts";

export interface ScaledBy {
  type: string;
  pods?: { metric: { name: string }; target: { averageValue: string } };
  external?: { metric: { name: string }; target: { averageValue: string } };
}

interface HpaSpec {
  scaleTargetRef: { kind: string; name: string };
  minReplicas?: number;
  maxReplicas: number;
  metrics: ScaledBy[];
}

export interface Metric {
  kind: string;
  /** undefined: every process has it */
  owner: string | undefined;
}

/** Every metric, and whose it is. */
export async function metricOwners(): Promise<Map<string, Metric>> {
  const rows = [...(operationsTables().metrics ?? "").matchAll(/^\| `(\w+)` \| (\w+) \| ([\w-]+) \|/gm)];
  const everybodys = await createMetrics("any").getMetricsAsJSON();
  return new Map<string, Metric>([
    ...everybodys.map(({ name, type }): [string, Metric] => [name, { kind: String(type), owner: undefined }]),
    ...rows.map(([, name = "", kind = "", owner = ""]): [string, Metric] => [name, { kind, owner }]),
  ]);
}

export function scalersOf(resources: readonly Resource[]): { name: string; spec: HpaSpec }[] {
  return resources
    .filter(({ kind }) => kind === "HorizontalPodAutoscaler")
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as HpaSpec }));
}

export async function scalingComplaints(resources: readonly Resource[]): Promise<string[]> {
  const owners = await metricOwners();
  const scalers = scalersOf(resources);
  if (scalers.length === 0) return [];
  return [
    ...workloadsOf(resources)
      .filter(({ kind, metadata }) => !scalers.some(({ spec }) => isFor(spec, kind, metadata.name)))
      .map(({ metadata }) => `${metadata.name} is not scaled`),
    ...scalers.flatMap(({ name, spec }) =>
      [...targetComplaints(spec, resources), ...metricComplaints(name, spec, owners)].map((one) => `${name}: ${one}`),
    ),
  ];
}

export function metricOf({ pods, external }: ScaledBy): string {
  return (pods ?? external)?.metric.name ?? "";
}

function isFor({ scaleTargetRef }: HpaSpec, kind: string, name: string): boolean {
  return scaleTargetRef.kind === kind && scaleTargetRef.name === name;
}

function targetComplaints(spec: HpaSpec, resources: readonly Resource[]): string[] {
  const { kind, name } = spec.scaleTargetRef;
  const target = resources.find((one) => one.kind === kind && one.metadata.name === name);
  const doors = resources.filter((one) => one.kind === "Service" && /^edge-\d+$/.test(one.metadata.name)).length;
  return [
    ...(target ? [] : [`there is no ${kind} ${name}`]),
    ...("replicas" in ((target?.spec as object) ?? {}) ? ["every apply sets its replicas back"] : []),
    ...((spec.minReplicas ?? 1) < 2 ? ["one replica is none while it is replaced"] : []),
    ...(name === "router" && spec.maxReplicas > ingestPartitions.length
      ? [`more than ${ingestPartitions.length} routers have nothing to do`]
      : []),
    ...(name === "edge" && spec.maxReplicas !== doors
      ? [`presence asks ${doors} edges, and there may be ${spec.maxReplicas}`]
      : []),
  ];
}

function metricComplaints(service: string, spec: HpaSpec, owners: ReadonlyMap<string, Metric>): string[] {
  return spec.metrics.flatMap((by) => {
    const name = metricOf(by);
    const found = owners.get(name);
    if (found === undefined) return [`/metrics has no ${name}`];
    return found.owner === undefined || found.owner === service ? [] : [`${name} is a figure of ${found.owner}`];
  });
}
