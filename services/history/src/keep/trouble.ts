// A store that fails: what callers are told of it, and a log that says it once, again every ten seconds, and when it is over.
import { AppError } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import { StoreError, type StoreErrorCode } from "@parley/store";

const reminderMs = 10_000;
const invalidCodes: ReadonlySet<StoreErrorCode> = new Set(["invalid_key", "invalid_page"]);

export interface Trouble {
  /** Logs the failure; while it goes on for the same reason, every ten seconds. */
  failed(event: string, error: unknown, ids?: object): void;
  /** What had failed as `event` has worked. */
  over(event: string): void;
}

export function createTrouble(log: Logger, now: () => number = () => performance.now()): Trouble {
  const said = new Map<string, { reason: string; at: number }>();
  return {
    failed(event, error, ids = {}) {
      const reason = String(error);
      const last = said.get(event);
      if (last?.reason === reason && now() - last.at < reminderMs) return;
      said.set(event, { reason, at: now() });
      log.warn({ event, ...ids, reason });
    },
    over(event) {
      if (said.delete(event)) log.info({ event: "store_works_again", after: event });
    },
  };
}

/** True if what was handed to the store is wrong: it will be as wrong the next time. */
export function isInvalid(error: unknown): boolean {
  return error instanceof StoreError && invalidCodes.has(error.code);
}

/** What a caller is told: no path, no cause. */
export function withoutPath(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  if (isInvalid(error)) return new AppError("invalid_packet", error.message, { cause: error });
  const message = error.code === "full" ? "the store's disk is full" : undefined;
  return new AppError("unavailable", message, { cause: error });
}
