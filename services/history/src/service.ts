// Puts history together: store, leases on conversation partitions, answers over NATS.
import { jetstream } from "@nats-io/jetstream";
import { type MembersChanged, membersSubject, streams } from "@parley/protocol";
import { conversationPartitions } from "@parley/protocol/partition";
import {
  connectNats,
  connectRedis,
  gauge,
  natsConnected,
  type Service,
  type ServiceContext,
  startLeases,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import { serveHistory } from "./answers.ts";
import type { HistoryConfig } from "./config.ts";
import { createShelf } from "./conversation.ts";
import { createMarks } from "./marks.ts";
import { createPartitions } from "./partitions.ts";
import { startProjection } from "./projection.ts";
import { createReceivers } from "./receivers.ts";
import { openHistoryStore } from "./store.ts";
import { ensureStreams, openStreams } from "./stream.ts";
import { createTails } from "./tails.ts";
import { createTrouble } from "./trouble.ts";

const markEveryMs = 5_000;

export async function startHistory(config: HistoryConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, metrics, closing } = context;
  const opened = await openStore(config.STORE_URL, { service: "history" });
  const store = await openHistoryStore(opened);
  const [nats, redis] = await Promise.all([
    connectNats({ url: config.NATS_URL, name: instance, log, health }),
    connectRedis({ url: config.REDIS_URL, name: instance, log }),
  ]);
  const manager = await openStreams(nats);
  const trouble = createTrouble(log);
  const projection = startProjection(store, { everyMs: config.HISTORY_FOLD_MS, trouble });
  const shelf = createShelf(store, config.HISTORY_CONVERSATIONS, projection);
  const marks = createMarks(store);
  const tails = createTails(store.log);
  const partitions = createPartitions({
    store,
    marks,
    tails,
    shelf,
    projection,
    trouble,
    jetstream: jetstream(nats),
    manager,
    streamName: streams.stored.name,
    announceMs: config.HISTORY_ANNOUNCE_MS,
    pass: context.pass,
    receivers: createReceivers({ nats, shelf, log }),
    membersChanged(q: number, changed: MembersChanged) {
      nats.publish(membersSubject(q), JSON.stringify(changed));
    },
    log,
  });
  const answers = serveHistory({ nats, instance, trouble, log, store, shelf, projection, partitions, marks, tails });
  const leases = startLeases({
    redis,
    kind: "conversation",
    keys: conversationPartitions,
    instance,
    log,
    alive: () => natsConnected(nats),
    acquire: (key) => partitions.acquire(Number(key)),
    release: (key, reason) => partitions.release(Number(key), reason),
  });
  const upkeep = setInterval(() => {
    partitions.mark().catch((error: unknown) => trouble.failed("mark_failed", error));
    if (partitions.backlog() > 0) ensureStreams(manager).catch(() => undefined);
  }, markEveryMs);
  health.check("partitions", () => leases.ready());
  gauge(metrics, "history_partitions", "conversation partitions held", () => leases.held().size);
  gauge(metrics, "history_unannounced", "stored entries not yet announced", () => partitions.backlog());
  return {
    async close() {
      clearInterval(upkeep);
      await closing("leases", () => leases.close());
      await closing("answers", () => answers.close());
      await closing("projection", () => projection.close());
      await closing("announcers", () => partitions.close());
      await closing("nats", () => nats.close());
      redis.disconnect();
      await closing("store", () => opened.close());
    },
  };
}
