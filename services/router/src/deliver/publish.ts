// What the path publishes on one session: queued in the order of the calls, tried again where the broker refuses for now.
import { AppError } from "@parley/protocol";
import { type BrokerSession, type Logger, type Refusal, refusalsOf } from "@parley/runtime";
import { LRUCache } from "lru-cache";

/**
 * Takes its place behind what was published before, at once. Resolves when the broker has every copy, or goes on
 * refusing one. Rejects only when the session ended.
 */
export type PublishMany = (topics: readonly string[], payload: Uint8Array) => Promise<void>;

const topicsInTroubleMax = 10_000;

/** A topic that is refused for `giveUpMs` is left alone until the broker takes it: stored messages are had by sync. */
export function createPublishMany(
  session: Pick<BrokerSession, "publishMany">,
  log: Logger,
  { giveUpMs = 10_000, pauseMs = 200 } = {},
): PublishMany {
  const refusedSince = new LRUCache<string, number>({ max: topicsInTroubleMax, ttl: giveUpMs * 3 });

  function tryAgain({ topic, final }: Refusal): boolean {
    if (final) return false;
    const now = performance.now();
    const since = refusedSince.get(topic) ?? now;
    refusedSince.set(topic, since);
    return now - since < giveUpMs;
  }

  return async (topics, payload) => {
    let left = topics;
    for (;;) {
      const refused = await publishOnce(session, left, payload, log);
      if (refusedSince.size > 0) forgetTaken(refusedSince, left, refused);
      if (refused.length === 0) return;
      left = refused.filter(tryAgain).map(({ topic }) => topic);
      if (left.length < refused.length)
        log.warn({
          event: "delivery_refused",
          topics: refused.length - left.length,
          reasonCode: refused[0]?.reasonCode,
        });
      if (left.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
}

/** What the broker refused of it. */
async function publishOnce(
  session: Pick<BrokerSession, "publishMany">,
  topics: readonly string[],
  payload: Uint8Array,
  log: Logger,
): Promise<readonly Refusal[]> {
  try {
    // Whoever publishes here holds a packet that the window counts, so that waiting is bounded.
    await session.publishMany(topics, payload, 1, undefined, "wait");
    return [];
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (error.details?.reason === "closed") throw error;
    const refused = refusalsOf(error);
    if (refused.length > 0) return refused;
    if (error.details?.reason === "queue_full")
      return topics.map((topic) => ({ topic, reasonCode: 0x97, final: false }));
    log.warn({ event: "delivery_impossible", code: error.code, reason: error.message });
    return [];
  }
}

function forgetTaken(
  refusedSince: LRUCache<string, number>,
  topics: readonly string[],
  refused: readonly Refusal[],
): void {
  const still = new Set(refused.map(({ topic }) => topic));
  for (const topic of topics) if (!still.has(topic)) refusedSince.delete(topic);
}
