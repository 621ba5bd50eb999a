// Replicas that share leases, as in a cluster: the services' own startLeases on a real Redis, with no work behind a key.
import { randomBytes } from "node:crypto";
import { connectRedis, createLogger, type Leases, startLeases } from "@parley/runtime";
import { eventually } from "@parley/testkit";

export interface Shared {
  kind: "ingest" | "conversation";
  keys: readonly string[];
}

export interface SimulatedReplica {
  held(): ReadonlySet<string>;
  close(): Promise<void>;
}

export interface SimulatedReplicas {
  /** One more, under a name as a service gives itself; resolves when shares are even again. */
  join(): Promise<SimulatedReplica>;
  /** Ends one as SIGTERM does; resolves when shares are even again. */
  leave(replica: SimulatedReplica): Promise<void>;
  living(): readonly SimulatedReplica[];
  /** key → how often somebody took it */
  taken: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

const patience = { timeoutMs: 60_000 };

export function openReplicas(redisUrl: string, { kind, keys }: Shared): SimulatedReplicas {
  const log = createLogger({ service: "partitions", level: "silent" });
  const taken = new Map<string, number>();
  const living = new Set<SimulatedReplica>();

  const settled = () =>
    eventually(
      () =>
        isEven(
          [...living].map(({ held }) => held().size),
          keys.length,
        ),
      patience,
    );

  async function start(): Promise<SimulatedReplica> {
    const redis = await connectRedis({ url: redisUrl, log });
    const leases: Leases = startLeases({
      redis,
      kind,
      keys,
      instance: `history-${randomBytes(5).toString("hex")}`,
      log,
      alive: () => true,
      acquire: async (key) => void taken.set(key, (taken.get(key) ?? 0) + 1),
      release: async () => undefined,
    });
    return {
      held: leases.held,
      async close() {
        await leases.close();
        redis.disconnect();
      },
    };
  }

  return {
    taken,
    living: () => [...living],
    async join() {
      const replica = await start();
      living.add(replica);
      await settled();
      return replica;
    },
    async leave(replica) {
      living.delete(replica);
      await replica.close();
      await settled();
    },
    async close() {
      await Promise.all([...living].map((replica) => replica.close()));
    },
  };
}

/** Every key is held, and nobody holds more than one more than another. */
function isEven(counts: readonly number[], keys: number): boolean {
  const held = counts.reduce((sum, count) => sum + count, 0);
  return held === keys && Math.max(...counts) - Math.min(...counts) <= 1;
}
