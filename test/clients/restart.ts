// Ctrl-C and `npm start` again: everything ends and starts on the same folder and ports.
import { type Cluster, startCluster } from "@parley/testkit";

export async function restartAll(cluster: Cluster): Promise<Cluster> {
  const { dir, wiring } = cluster;
  await cluster.close();
  return startCluster({ dir, ports: wiring.public });
}
