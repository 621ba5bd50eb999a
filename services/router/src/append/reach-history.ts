// Whether history can be reached, so that a router says so before a packet finds out.
import { AppError, historySubject, packAppendRequest } from "@parley/protocol";
import { type HolderLookup, type NatsConnection, request } from "@parley/runtime";

const timeoutMs = 1_500;
// A lost replica's partitions are another's by then: until then packets wait, and all is well.
const graceMs = 5_500;

/** Resolves when every known holder answers an empty append, or one that does not has not been missing for long. */
export function createReachHistory(nats: NatsConnection, holders: HolderLookup): () => Promise<void> {
  let reachedAt = Number.NEGATIVE_INFINITY;
  const reach = async (holder: string) => {
    await request(nats, historySubject("append", holder), packAppendRequest([]), { timeoutMs });
  };
  return async () => {
    try {
      const known = [...holders.instances()];
      if (known.length === 0) throw new AppError("unavailable", "no history replica holds a conversation partition");
      await Promise.all(known.map(reach));
      reachedAt = performance.now();
    } catch (error) {
      await holders.refresh();
      if (performance.now() - reachedAt < graceMs) return;
      const reason = AppError.from(error).details?.reason;
      throw reason === undefined ? error : new Error(`history does not answer: ${String(reason)}`);
    }
  };
}
