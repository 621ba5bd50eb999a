// Gives each replica of a service a core of its own, as Linux' taskset does.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Cluster } from "@parley/testkit";

const program = "/usr/bin/taskset";

/** Replica n runs on core n from now on, with all its threads; on a core again where there are more replicas than cores. */
export function pinReplicas(cluster: Cluster, parts: readonly string[]): void {
  for (const part of parts)
    for (const [index, pid] of (cluster.run().processes[part] ?? []).entries())
      execFileSync(program, ["-a", "-c", "-p", String(index % availableParallelism()), String(pid)]);
}

export function canPin(): boolean {
  return process.platform === "linux" && existsSync(program) && availableParallelism() > 1;
}
