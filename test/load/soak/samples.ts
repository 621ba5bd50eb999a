// What every process of a cluster uses, looked at every few seconds: /proc, and the services' own metrics.
import { readFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "@parley/testkit";

/** One process at one moment; what only services tell is missing of servers. MiB and ms. */
export interface ProcessSample {
  rssMiB: number;
  heapMiB?: number;
  externalMiB?: number;
  eventLoopP99Ms?: number;
  /** the service's own gauges, `parley_` left out */
  gauges?: Record<string, number>;
}

export interface Sample {
  /** seconds since the load began */
  at: number;
  /** by part, with the replica's number where there are several */
  processes: Record<string, ProcessSample>;
  storeMiB?: number;
}

const mib = 1024 * 1024;

/** Looks at every process once. One that is being started again is missing. */
export async function takeSample(cluster: Cluster, at: number): Promise<Sample> {
  const { processes } = cluster.run();
  const named = Object.entries(processes).flatMap(([part, pids]) =>
    pids.map((pid, index) => ({ name: pids.length === 1 ? part : `${part}-${index + 1}`, part, index, pid })),
  );
  const samples = await Promise.all(
    named.map(async ({ name, part, index, pid }) => {
      const rssMiB = residentMiB(pid);
      if (rssMiB === undefined) return [];
      const own = await readMetrics(healthPort(cluster, part, index)).catch(() => ({}));
      return [[name, { rssMiB, ...own }] as const];
    }),
  );
  const storeMiB = await folderMiB(join(cluster.dir, "data"));
  return { at, processes: Object.fromEntries(samples.flat()), ...(storeMiB > 0 ? { storeMiB } : {}) };
}

function residentMiB(pid: number): number | undefined {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1_024;
  } catch {
    return undefined;
  }
}

function healthPort({ wiring }: Cluster, part: string, index: number): number | undefined {
  return (wiring.replicas as Partial<Record<string, { health: number }[]>>)[part]?.[index]?.health;
}

async function readMetrics(port: number | undefined): Promise<Partial<ProcessSample>> {
  if (port === undefined) return {};
  const signal = AbortSignal.timeout(5_000);
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { signal })).text();
  const value = (name: string) => Number(new RegExp(`^${name}\\{[^}]*\\} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
  const gauges: Record<string, number> = {};
  for (const [, name = ""] of text.matchAll(/^# TYPE parley_(\w+) gauge$/gm)) gauges[name] = value(`parley_${name}`);
  return {
    heapMiB: value("nodejs_heap_size_used_bytes") / mib,
    externalMiB: value("nodejs_external_memory_bytes") / mib,
    eventLoopP99Ms: 1_000 * value("nodejs_eventloop_lag_p99_seconds"),
    gauges,
  };
}

async function folderMiB(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  // A file may go while it is looked at.
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / mib;
}
