// A service whose methods change something keeps their requests for a day; what its store cannot do now is `unavailable`.
import { AppError } from "@parley/protocol";
import type { Logger } from "../process/log.ts";
import { createOnce, type Once, pruneRequests, type RequestStore } from "./once.ts";

const pruneMs = 3_600_000;

/** `requests`: a collection of the service's store with `requestIndexes`. */
export function keepRequests(requests: RequestStore, log: Logger): { once: Once; close(): void } {
  const prune = () =>
    void pruneRequests(requests, Date.now()).catch((err: unknown) => log.warn({ event: "prune_failed", err }));
  prune();
  const pruning = setInterval(prune, pruneMs);
  return { once: createOnce({ requests, errorOf: unavailable }), close: () => clearInterval(pruning) };
}

function unavailable(thrown: unknown): AppError {
  return thrown instanceof AppError ? thrown : new AppError("unavailable", undefined, { cause: thrown });
}

/** Throws as `unavailable` what Redis or the store cannot do now: that is no bug. */
export async function available<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(error);
  }
}
