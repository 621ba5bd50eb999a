// Requests that change something, each done once for its id: kept for a day in presence's store.
import { AppError } from "@parley/protocol";
import { createOnce, type Logger, type Once, pruneRequests, type RequestDoc, requestIndexes } from "@parley/runtime";
import type { Collection, Documents } from "@parley/store";

const pruneMs = 3_600_000;

export interface Requests {
  once: Once;
  requests: Collection<RequestDoc>;
  close(): void;
}

export async function openRequests(documents: Documents, log: Logger): Promise<Requests> {
  const requests = await documents.collection<RequestDoc>({ name: "requests", indexes: requestIndexes });
  const prune = () =>
    void pruneRequests(requests, Date.now()).catch((err: unknown) => log.warn({ event: "prune_failed", err }));
  prune();
  const pruning = setInterval(prune, pruneMs);
  return { once: createOnce({ requests, errorOf: unavailable }), requests, close: () => clearInterval(pruning) };
}

/** What Redis or the store cannot do now is `unavailable`, not a bug. */
export function unavailable(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError("unavailable", undefined, { cause: thrown });
}

/** Throws as `unavailable` what cannot be done now. */
export async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(error);
  }
}
