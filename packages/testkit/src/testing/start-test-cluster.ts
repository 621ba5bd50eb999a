// The cluster of `npm start` for one test: a temporary folder, free ports, gone when the test ends.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cluster, type ClusterOptions, startCluster } from "../cluster/cluster.ts";
import type { TestContext } from "./start-servers.ts";

/** Starts a cluster of the test's own. `PARLEY_KEEP=1` in the environment keeps its folder, with the logs. */
export async function startTestCluster(t: TestContext, options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "parley-cluster-")));
  let cluster: Cluster | undefined;
  t.after(async () => {
    await cluster?.close();
    if (options.dir === undefined && !process.env.PARLEY_KEEP) await rm(dir, { recursive: true, force: true });
  });
  cluster = await startCluster({ ...options, dir });
  return cluster;
}

/** The log of a part, for a test that failed. */
export async function readLog(cluster: Cluster, name: string): Promise<string> {
  return readFile(join(cluster.dir, "logs", `${name}.log`), "utf8");
}
