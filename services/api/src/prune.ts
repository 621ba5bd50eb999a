// Removes what has run out: refresh tokens, revocations, answers to requests, pairs of users who are nothing to each other.

import { type Logger, pruneRequests } from "@parley/runtime";
import type { Collection } from "@parley/store";
import { overLifeMs } from "./people/list.ts";
import type { ApiStore } from "./store.ts";

const everyMs = 10 * 60_000;
const pageDocuments = 500;

/** Prunes now and every ten minutes. */
export function startPruning(store: ApiStore, log: Logger): { close(): Promise<void> } {
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  const turn = () => {
    running = prune(store, Date.now(), () => closed).catch((err: unknown) => log.warn({ event: "prune_failed", err }));
  };
  turn();
  const timer = setInterval(turn, everyMs);
  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await running;
    },
  };
}

/** `nowMs`: unix time. */
export async function prune(store: ApiStore, nowMs: number, stopped: () => boolean = () => false): Promise<void> {
  await removeBefore(store.refreshTokens, "expires", nowMs, stopped);
  await removeBefore(store.codes, "expires", nowMs, stopped);
  await removeBefore(store.revocations, "until", nowMs / 1000, stopped);
  await removeBefore(store.pairs, "over", nowMs - overLifeMs, stopped);
  await pruneRequests(store.requests, nowMs, stopped);
}

async function removeBefore<T extends object>(
  collection: Collection<T>,
  index: string,
  before: number,
  stopped: () => boolean,
): Promise<void> {
  while (!stopped()) {
    const { items } = await collection.find({ index, before, limit: pageDocuments });
    for (const { key, version } of items) await collection.remove(key, version);
    if (items.length < pageDocuments) return;
  }
}
