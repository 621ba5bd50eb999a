// The ingest partitions this router holds: taken, given up, and published on for whatever else this router has to send.
import { AppError } from "@parley/protocol";
import { type BrokerSession, type BrokerSessionStats, type ReleaseReason, within } from "@parley/runtime";
import type { Login } from "./login.ts";
import { openPartition, type Partition, type PartitionParts, type Takes } from "./partition.ts";

export interface Ingest extends Pick<BrokerSession, "publishMany"> {
  acquire(p: string): Promise<void>;
  release(p: string, reason: ReleaseReason): Promise<void>;
  /** Has it any partition? */
  holds(): boolean;
  /** False when no session has been connected for a while, or none was yet: the broker is away from here. */
  alive(): boolean;
  /** Packets taken and not confirmed, and bytes of publishes that wait for the broker, all sessions together. */
  load(): Pick<BrokerSessionStats, "held" | "queuedBytes">;
}

export interface IngestParts extends PartitionParts {
  login: Pick<Login, "isTaken">;
  /** What to do with the packets of a partition; called once an acquisition. */
  takesOf(p: string, session: BrokerSession): Promise<Takes>;
  released(p: string): Promise<void>;
  /** another has it */
  lost(p: string): Promise<void>;
}

const connectWaitMs = 5_000;
const brokerGraceMs = 3_000;

export function createIngest(parts: IngestParts): Ingest {
  const held = new Map<string, Partition>();
  let connectedAt = Number.NEGATIVE_INFINITY;

  async function acquire(p: string): Promise<void> {
    const partition = openPartition(parts, p);
    held.set(p, partition);
    try {
      const connected = await within(connectWaitMs, partition.session.whenConnected());
      if (!connected) throw new Error("the broker did not take the session in time");
      partition.begin(await parts.takesOf(p, partition.session));
    } catch (error) {
      held.delete(p);
      await partition.cut();
      throw error;
    }
  }

  async function release(p: string, reason: ReleaseReason): Promise<void> {
    const partition = held.get(p);
    if (!partition) return;
    if (reason === "lost") {
      held.delete(p);
      await partition.cut();
      return parts.lost(p);
    }
    await partition.finish();
    held.delete(p);
    await parts.released(p);
  }

  const sessions = () => [...held.values()].map(({ session }) => session);
  return {
    acquire,
    release,
    holds: () => held.size > 0,
    // On any session that is connected. Rejects when there is none, as a session does that has ended: nothing is given up by it.
    async publishMany(topics, payload, qos, properties, whenFull) {
      for (;;) {
        const session = sessions().find(({ connected }) => connected);
        if (!session) throw noSession();
        try {
          return await session.publishMany(topics, payload, qos, properties, whenFull);
        } catch (thrown) {
          // Its partition was given up or lost meanwhile: another session will do as well.
          if (AppError.from(thrown).details?.reason !== "closed") throw thrown;
        }
      }
    },
    load() {
      const all = sessions().map((session) => session.stats());
      const sum = (field: "held" | "queuedBytes") => all.reduce((total, stats) => total + stats[field], 0);
      return { held: sum("held"), queuedBytes: sum("queuedBytes") };
    },
    alive() {
      const now = performance.now();
      if (parts.login.isTaken() || sessions().some(({ connected }) => connected)) connectedAt = now;
      return now - connectedAt < brokerGraceMs;
    },
  };
}

function noSession(): AppError {
  return new AppError("unavailable", "no session with the broker", { details: { reason: "closed" } });
}
