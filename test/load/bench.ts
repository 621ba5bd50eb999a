// The clusters of a run: one that scenarios share, opened when it is first wanted, and those a scenario has alone.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, type ClusterOptions, startCluster } from "@parley/testkit";
import type { Bench } from "./scenario.ts";

const unlimited = {
  ROUTER_RATE: "1000000",
  ROUTER_BURST: "1000000",
  EDGE_RATE_PACKETS: "1000000",
  EDGE_RATE_BYTES: "1000000000",
  AUTH_WEBHOOK_DEVICE_CONNECT_RATE: "1000000000",
  PARLEY_LOG_LEVEL: "warn",
};

type Options = Parameters<Bench["withCluster"]>[0];

/** `close` ends what is still open. */
export function openBench(given: Omit<Bench, "shared" | "withCluster">): Bench & { close(): Promise<void> } {
  let shared: { cluster: Cluster; close(): Promise<void> } | undefined;

  // Nothing else runs beside a cluster that is measured.
  async function closeShared(): Promise<void> {
    const open = shared;
    shared = undefined;
    await open?.close();
  }

  return {
    ...given,
    async shared() {
      shared ??= await open({}, given.say);
      return shared.cluster;
    },
    async withCluster(options, work) {
      await closeShared();
      const { cluster, close } = await open(options, given.say);
      try {
        return await work(cluster);
      } finally {
        await close();
      }
    },
    close: closeShared,
  };
}

async function open(
  { fill, ...options }: Options,
  say: Bench["say"],
): Promise<{ cluster: Cluster; close(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  const remove = () => rm(dir, { recursive: true, force: true });
  try {
    const storeUrl = options.storeUrl ?? `sqlite:${join(dir, "data")}`;
    await fill?.(storeUrl);
    say(`starting a cluster${described(options)}`);
    const env = { ...unlimited, ...options.env };
    const cluster = await startCluster({ ...options, dir, storeUrl, env });
    return {
      cluster,
      async close() {
        await cluster.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function described({ storeUrl, replicas = {} }: Partial<ClusterOptions>): string {
  const engine = storeUrl === undefined || storeUrl.startsWith("sqlite:") ? "SQLite" : "MongoDB";
  const more = Object.entries(replicas).map(([part, count]) => `${count} × ${part}`);
  return ` (${[engine, ...more].join(", ")})`;
}
