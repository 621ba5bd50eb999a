// What is stored goes into the index: references from STORED, bodies from history, many at once.
import { jetstreamManager } from "@nats-io/jetstream";
import { type StoredEntry, streams } from "@parley/protocol";
import { followStored, gauge, type Logger, type NatsConnection, type Pass, type Registry } from "@parley/runtime";
import type { Collection } from "@parley/store";
import { indexedEntries } from "./index-entries.ts";
import { isIndexed } from "./indexed.ts";
import { type Indexes, unavailable } from "./indexes.ts";

/** Of which stream the index was fed, and when nothing was left to take (unix ms). */
export interface FeedDoc {
  stream: string;
  at: number;
}

export interface FeedParts {
  nats: NatsConnection;
  indexes: Indexes;
  feeds: Collection<FeedDoc>;
  /** Something may have been announced that nobody took. */
  onGap(reason: string): Promise<void>;
  metrics: Registry;
  /** Marks a point where a test can end the process. */
  pass: Pass;
  log: Logger;
}

const durable = "search";
/** Each time costs a commit, and a request to history for each partition that has something. */
const batchMessages = 500;
const gatherMs = 500;
const dayMs = 86_400_000;
/** STORED keeps seven days; who was away for longer than this lacks what is gone from it. */
const keptMs = 6 * dayMs;
const beginMsBack = 7 * dayMs;
const lookMs = 5_000;
const key = "stored";

export function startFeed(parts: FeedParts): { close(): Promise<void> } {
  const { nats, feeds, onGap, metrics, log } = parts;
  let waiting = 0;
  let latestTs = Date.now();
  const following = followStored({
    nats,
    durable,
    filter: streams.stored.subjects[0],
    // What goes on to other rooms stands there again.
    kinds: ["mqtt", "origin"],
    beginMsBack,
    batchMessages,
    gatherMs,
    wants: isIndexed,
    take: async (entries) => {
      await takeEntries(parts, entries);
      latestTs = Math.max(...entries.map(({ ts }) => ts));
    },
    log,
  });

  async function look(): Promise<void> {
    const manager = await jetstreamManager(nats);
    const { created } = await manager.streams.info(streams.stored.name);
    const info = await manager.consumers.info(streams.stored.name, durable);
    waiting = info.num_pending + info.num_ack_pending;
    const known = (await feeds.get(key))?.doc;
    if (known && known.stream !== created) await onGap("STORED was made anew");
    else if (known && known.at < Date.now() - keptMs) await onGap("it was away for days");
    const at = waiting === 0 ? Date.now() : (known?.at ?? Date.now());
    if (known?.stream !== created || at - known.at > lookMs) await feeds.put([{ key, doc: { stream: created, at } }]);
  }

  const looking = setInterval(() => {
    look().catch((error: unknown) => log.debug({ event: "lag_unknown", reason: String(error) }));
  }, lookMs);
  gauge(metrics, "search_lag_batches", "batches of references that are not indexed yet", () => waiting);
  gauge(metrics, "search_lag_seconds", "how old the message indexed last is, while others wait", () =>
    waiting === 0 ? 0 : Math.max(0, (Date.now() - latestTs) / 1_000),
  );
  return {
    async close() {
      clearInterval(looking);
      await following.close();
    },
  };
}

async function takeEntries(
  { nats, indexes, pass }: Pick<FeedParts, "nats" | "indexes" | "pass">,
  entries: readonly StoredEntry[],
): Promise<void> {
  // In the order of time, though they come partition by partition.
  const messages = (await indexedEntries(nats, entries)).sort((one, other) => one.ts - other.ts);
  pass("before-index-put");
  try {
    const fed = await indexes.fed();
    await Promise.all(fed.map((index) => index.put(messages)));
    pass("before-index-ack");
  } catch (error) {
    throw unavailable(error);
  }
}
