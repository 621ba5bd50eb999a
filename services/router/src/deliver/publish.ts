// Deliveries on a session: a copy that the broker will never take is given up, one that it cannot take now waits.
import { AppError } from "@parley/protocol";
import type { BrokerSession, Logger } from "@parley/runtime";

/** Resolves when the broker has every copy, or refused it for good. Rejects only when the session ended. */
export type PublishMany = (topics: readonly string[], payload: Uint8Array) => Promise<void>;

const pauseMs = 200;

export function createPublishMany(session: Pick<BrokerSession, "publishMany">, log: Logger): PublishMany {
  return async (topics, payload) => {
    for (;;) {
      try {
        return await session.publishMany(topics, payload, 1);
      } catch (thrown) {
        const error = AppError.from(thrown);
        if (error.details?.reason === "closed") throw error;
        if (error.details?.reason !== "queue_full") {
          // Stored and acknowledged: who did not get it has it by sync, and the partition goes on.
          log.warn({ event: "delivery_refused", code: error.code, reason: error.message });
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
}
