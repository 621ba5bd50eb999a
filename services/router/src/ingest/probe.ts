// Asks now and then whether the broker takes a publish: one that is full of memory keeps connections and acknowledges nothing.
import { probeTopic } from "@parley/protocol";
import { refusalsOf, within } from "@parley/runtime";
import type { Ingest } from "./ingest.ts";

const answerMs = 5_000;
/** As large as a message may be: a broker that has no room for it takes no other either, though smaller ones may still fit. */
const probeBytes = 64 * 1024;

/** Rejects while the broker has not answered a publish for so long. One is under way at a time. */
export function createProbe(
  ingest: Pick<Ingest, "publishMany" | "holds">,
  answerWithinMs = answerMs,
): () => Promise<void> {
  const payload = new Uint8Array(probeBytes);
  let unanswered: Promise<unknown> | undefined;
  return async () => {
    // Without a partition there is no session to ask on, and nothing to do.
    if (!ingest.holds()) return;
    if (unanswered === undefined) {
      const asked = ingest
        .publishMany([probeTopic], payload, 1, undefined, "wait")
        // A session that is being made again says nothing of the broker; whether there is one is another check.
        .catch((error: unknown) => {
          if (refusalsOf(error).length > 0) throw error;
        })
        .finally(() => {
          unanswered = undefined;
        });
      // Whoever waits hears of it; it may end when nobody does.
      asked.catch(() => undefined);
      unanswered = asked;
    }
    if (!(await within(answerWithinMs, unanswered))) throw new Error("the broker takes no publish");
  };
}
