// A rolling upgrade as Kubernetes does it: for each replica a new one that is ready, and only then the end of the old one.
import type { SimulatedReplicas } from "./replicas.ts";

export interface Rolled {
  /** how often partitions moved, all together; of the one that moved most; and the mean */
  moves: number;
  most: number;
  mean: number;
  /** with as many partitions for everybody at each moment it cannot be done with fewer */
  least: number;
}

/** Replaces every replica that lives. */
export async function roll(replicas: SimulatedReplicas, keys: number): Promise<Rolled> {
  const before = new Map(replicas.taken);
  let least = 0;
  for (const old of replicas.living()) {
    await replicas.join();
    least += Math.floor(keys / replicas.living().length) + old.held().size;
    await replicas.leave(old);
  }
  const moved = [...replicas.taken].map(([key, count]) => count - (before.get(key) ?? 0));
  const moves = moved.reduce((sum, count) => sum + count, 0);
  return { moves, most: Math.max(...moved), mean: moves / keys, least };
}
