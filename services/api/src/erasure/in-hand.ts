// Erasures under way in this process: a few at a time remove what is kept; those that have done so wait for the disks together.
import { type Logger, openTurns } from "@parley/runtime";
import type { ErasureDoc } from "../store.ts";

/** `remove`: what is kept of the user; then `end`. Each may be done again. */
export interface Work {
  remove(erasure: ErasureDoc): Promise<void>;
  end(erasure: ErasureDoc): Promise<void>;
  log: Logger;
}

export interface InHand {
  /** Once, however often it is said. */
  begin(erasure: ErasureDoc): void;
  /** What waits is left; resolves when what is under way has ended. */
  close(): Promise<void>;
}

const atOnce = 4;
/** The rest is found again when these are done. */
const waitingMax = 1_000;

export function openInHand({ remove, end, log }: Work): InHand {
  const turns = openTurns({ atOnce, waitingMax });
  const inHand = new Map<string, Promise<void>>();
  let closed = false;

  async function work(erasure: ErasureDoc): Promise<void> {
    const done = await turns.take({ isWanted: () => !closed });
    if (!done) return;
    try {
      await remove(erasure);
    } finally {
      done();
    }
    await end(erasure);
    log.info({ event: "user_erased", uid: erasure.uid });
  }

  return {
    begin(erasure) {
      const { uid } = erasure;
      if (closed || inHand.has(uid)) return;
      const working = work(erasure)
        .catch((error: unknown) => log.warn({ event: "erasure_unfinished", uid, reason: String(error) }))
        .finally(() => inHand.delete(uid));
      inHand.set(uid, working);
    },
    async close() {
      closed = true;
      await Promise.all(inHand.values());
    },
  };
}
