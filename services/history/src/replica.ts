// What one replica of history is made of, between its store and NATS; who holds what is decided outside.
import { type JetStreamManager, jetstream } from "@nats-io/jetstream";
import { membersSubject, streams } from "@parley/protocol";
import type { Logger, NatsConnection, Pass } from "@parley/runtime";
import { startErasingRooms } from "./ended-rooms.ts";
import { startExpiring } from "./expire/sweep.ts";
import { createTails } from "./fold/tails.ts";
import { startNotingReaders } from "./keep/readers.ts";
import type { HistoryStore } from "./keep/store.ts";
import type { Trouble } from "./keep/trouble.ts";
import { createMarks } from "./project/marks.ts";
import { startProjection } from "./project/projection.ts";
import { createEnds } from "./read/ends/ends.ts";
import type { Reading } from "./read/reading.ts";
import { createAttachments } from "./write/attachments.ts";
import { createBlocks } from "./write/blocks.ts";
import { createShelf } from "./write/conversation.ts";
import type { Holding } from "./write/holding.ts";
import { createPartitions } from "./write/partitions.ts";
import { createReadOn } from "./write/read-on.ts";
import { createReceivers } from "./write/receivers.ts";
import type { DirectMessages } from "./write/refused.ts";
import { createSilenced } from "./write/silenced.ts";

export interface Replica extends Holding, Reading {
  manager: JetStreamManager;
  close(): Promise<void>;
}

export interface ReplicaParts {
  store: HistoryStore;
  nats: NatsConnection;
  manager: JetStreamManager;
  trouble: Trouble;
  log: Logger;
  pass: Pass;
  /** of users who say nothing else */
  directMessages: DirectMessages;
  conversationsMax: number;
  foldMs: number;
  announceMs: number;
  /** Until when (performance.now()) nobody else can hold a partition that this replica holds. */
  sureUntil(q: number): number;
}

export function createReplica(parts: ReplicaParts): Replica {
  const { store, nats, trouble, log, manager } = parts;
  const projection = startProjection(store, { everyMs: parts.foldMs, trouble, pass: parts.pass });
  const shelf = createShelf(store, parts.conversationsMax, { ...projection, direct: parts.directMessages });
  const marks = createMarks(store);
  const tails = createTails(store.log);
  const silenced = createSilenced(store);
  const blocks = createBlocks(store);
  const readOn = createReadOn(nats);
  const receivers = createReceivers({ nats, shelf, log });
  const ends = createEnds({ store, marks, tails, heldPos });
  const partitions = createPartitions({
    ...parts,
    shelf,
    projection,
    marks,
    tails,
    jetstream: jetstream(nats),
    streamName: streams.stored.name,
    receivers,
    attachments: createAttachments({ nats, log }),
    silenced,
    lookAgain: () => {
      blocks.forget();
      return silenced.load();
    },
    stored: (q, entries) => ends.stored(q, entries),
    membersChanged: (q, changed) => nats.publish(membersSubject(q), JSON.stringify(changed)),
  });
  function heldPos(q: number): number | undefined {
    const writer = partitions.writer(q);
    return writer?.open && performance.now() < parts.sureUntil(q) ? writer.pos : undefined;
  }
  const erasing = startErasingRooms({ store, partitions, nats, log, pass: parts.pass });
  const noting = startNotingReaders(store, (error) => trouble.failed("readers_not_noted", error));
  const expiring = startExpiring({ store, partitions, trouble, pass: parts.pass });
  return {
    store,
    shelf,
    projection,
    marks,
    tails,
    ends,
    direct: parts.directMessages,
    partitions,
    silenced,
    blocks,
    receivers,
    readOn,
    manager,
    pass: parts.pass,
    async close() {
      await Promise.all([erasing.close(), expiring.close(), noting.close()]);
      await projection.close();
      await partitions.close();
      readOn.close();
    },
  };
}
