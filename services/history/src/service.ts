// Puts history together: store, leases on conversation partitions, answers over NATS.
import { conversationPartitionCount, conversationPartitions } from "@parley/protocol/partition";
import {
  answerBackup,
  answerCompact,
  connectNats,
  connectRedis,
  gauge,
  type Health,
  natsConnected,
  type Service,
  type ServiceContext,
  startLeases,
  watchCheck,
} from "@parley/runtime";
import { openStore, type Store, StoreError } from "@parley/store";
import { ensureStreams, openStreams } from "./announce/stream.ts";
import { serveHistory } from "./answers.ts";
import type { HistoryConfig } from "./config.ts";
import { openHistoryStore } from "./keep/store.ts";
import { createTrouble } from "./keep/trouble.ts";
import { createReplica } from "./replica.ts";

const markEveryMs = 5_000;
/** A store of several processes works while this one does something else; SQLite reads in this one. */
const readsAtOnce = { shared: 16, own: 1 };

export async function startHistory(config: HistoryConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, metrics, closing } = context;
  const opened = await openStore(config.STORE_URL, {
    service: "history",
    facts: { conversationPartitions: conversationPartitionCount },
  });
  const store = await openHistoryStore(opened, context.pass);
  const [nats, redis] = await Promise.all([
    connectNats({ url: config.NATS_URL, name: instance, log, health }),
    connectRedis({ url: config.REDIS_URL, name: instance, log }),
  ]);
  const trouble = createTrouble(log);
  const replica = createReplica({
    store,
    nats,
    manager: await openStreams(nats),
    trouble,
    log,
    pass: context.pass,
    directMessages: config.DIRECT_MESSAGES,
    conversationsMax: config.HISTORY_CONVERSATIONS,
    foldMs: config.HISTORY_FOLD_MS,
    announceMs: config.HISTORY_ANNOUNCE_MS,
    // Nobody else has such a store open.
    sureUntil: (q) => (opened.exclusive ? Number.POSITIVE_INFINITY : leases.sureUntil(String(q))),
  });
  const { partitions, manager } = replica;
  const answers = serveHistory({
    ...replica,
    nats,
    instance,
    trouble,
    readsAtOnce: opened.exclusive ? readsAtOnce.own : readsAtOnce.shared,
    log,
  });
  answerBackup(nats, { service: "history", store: opened, partitions: conversationPartitionCount, log });
  answerCompact(nats, { service: "history", compact: () => opened.compact(), log });
  const watched = watchStore(opened, health);
  const leases = startLeases({
    redis,
    kind: "conversation",
    keys: conversationPartitions,
    instance,
    log,
    alive: () => natsConnected(nats) && !watched.isAway(),
    // Nobody else has the store open: whoever held these is gone.
    seize: opened.exclusive,
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
      watched.close();
      partitions.stop();
      await closing("leases", () => leases.close());
      await closing("answers", () => answers.close());
      await closing("replica", () => replica.close());
      await closing("nats", () => nats.close());
      redis.disconnect();
      await closing("store", () => opened.close());
    },
  };
}

// Readiness by whether the store can be written. `isAway`: it does not answer this replica, which another may do better.
function watchStore(store: Store, health: Health): { isAway(): boolean; close(): void } {
  let away = false;
  const asked = watchCheck(health, "store", () =>
    store.check().then(
      () => {
        away = false;
      },
      (error: unknown) => {
        away = error instanceof StoreError && error.code === "unavailable";
        throw error;
      },
    ),
  );
  return { isAway: () => away, close: () => asked.close() };
}
