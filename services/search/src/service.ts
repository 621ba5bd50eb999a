// Puts search together: its store, the feed of what is stored, the builder, answers over NATS.
import { AppError, type RebuildRequest, type RemoveRequest, searchMessages, subjects } from "@parley/protocol";
import {
  answerCompact,
  answerJson,
  connectNats,
  handle,
  openTurns,
  type Service,
  type ServiceContext,
  serveMethods,
  watchCheck,
  yieldToChat,
} from "@parley/runtime";
import { openStore } from "@parley/store";
import { startBuilder } from "./build.ts";
import type { SearchConfig } from "./config.ts";
import { type FeedDoc, startFeed } from "./feed.ts";
import { findMessages } from "./find-messages.ts";
import { openIndexes, unavailable } from "./indexes.ts";
import { openReadable } from "./readable.ts";
import { compactAll, removeMessages } from "./remove.ts";

const queue = "search";
/** Searches at once, and of one user; those that wait. */
const turnsOptions = { atOnce: 8, atOnceEach: 2, waitingMax: 1_000, waitMs: 5_000 } as const;

export async function startSearch(config: SearchConfig, context: ServiceContext): Promise<Service> {
  const { instance, log, health, metrics, closing, pass } = context;
  // Messages are sent and read before they are indexed.
  yieldToChat();
  const store = await openStore(config.STORE_URL, { service: "search" });
  const indexes = await openIndexes(store, log);
  const feeds = await store.documents().collection<FeedDoc>({ name: "feeds" });
  const nats = await connectNats({ url: config.NATS_URL, name: instance, log, health });
  const builder = startBuilder({ nats, indexes, instance, isAlone: store.exclusive, pass, log });
  const feed = startFeed({ nats, indexes, feeds, onGap: builder.begin, metrics, pass, log });
  const parts = { nats, indexes, readable: openReadable(nats, config.SEARCH_READABLE_MS) };
  const turns = openTurns(turnsOptions);
  const find = handle(searchMessages, async (params, caller) => {
    const done = await turns.take({ key: caller.uid });
    if (done === undefined) return new AppError("rate_limited", "too many searches wait; ask again");
    try {
      return await findMessages(parts, params, caller);
    } catch (error) {
      throw unavailable(error);
    } finally {
      done();
    }
  });
  const serving = [
    serveMethods(nats, { queue, handlers: [find], log }),
    answerJson<RemoveRequest>(
      nats,
      subjects.removeFromSearch,
      queue,
      (asked) => removeMessages({ indexes, pass }, asked),
      log,
    ),
    answerJson<RebuildRequest>(nats, subjects.rebuildSearch, queue, builder.answer, log),
    answerCompact(nats, { service: queue, compact: () => compactAll(indexes), log }),
    watchCheck(health, "store", () => store.check()),
  ];
  await nats.flush();
  return {
    async close() {
      await closing("requests", () => Promise.all(serving.map((one) => one.close())));
      await closing("feed", () => feed.close());
      await closing("builder", () => builder.close());
      await closing("nats", () => nats.close());
      await closing("store", () => store.close());
    },
  };
}
