// What one replica of history is made of, between its store and NATS; who holds what is decided outside.
import { type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { membersSubject, streams } from "@parley/protocol";
import type { Logger, NatsConnection, Pass } from "@parley/runtime";
import type { Holding } from "./access.ts";
import { createShelf } from "./conversation.ts";
import { createMarks } from "./marks.ts";
import { createPartitions } from "./partitions.ts";
import { startProjection } from "./projection.ts";
import type { Reading } from "./reading.ts";
import { createReceivers } from "./receivers.ts";
import type { HistoryStore } from "./store.ts";
import { createTails } from "./tails.ts";
import type { Trouble } from "./trouble.ts";

export interface Replica extends Holding, Reading {
  close(): Promise<void>;
}

export interface ReplicaParts {
  store: HistoryStore;
  nats: NatsConnection;
  manager: JetStreamManager;
  trouble: Trouble;
  log: Logger;
  pass: Pass;
  conversationsMax: number;
  foldMs: number;
  announceMs: number;
}

export function createReplica(parts: ReplicaParts): Replica {
  const { store, nats, trouble, log } = parts;
  const projection = startProjection(store, { everyMs: parts.foldMs, trouble });
  const shelf = createShelf(store, parts.conversationsMax, projection);
  const marks = createMarks(store);
  const tails = createTails(store.log);
  const partitions = createPartitions({
    ...parts,
    shelf,
    projection,
    marks,
    tails,
    jetstream: jetstream(nats),
    streamName: streams.stored.name,
    receivers: createReceivers({ nats, shelf, log }),
    membersChanged: (q, changed) => nats.publish(membersSubject(q), JSON.stringify(changed)),
  });
  return {
    store,
    shelf,
    projection,
    marks,
    tails,
    partitions,
    async close() {
      await projection.close();
      await partitions.close();
    },
  };
}
