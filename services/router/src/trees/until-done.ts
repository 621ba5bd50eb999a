// What somebody published is not given up while those who must be asked about it cannot be asked: it is tried again, not confirmed meanwhile.
import { setTimeout as sleep } from "node:timers/promises";
import { AppError, isSessionEnd } from "@parley/protocol";

export interface Patience {
  pauseMs: number;
  longestMs: number;
}

const usual: Patience = { pauseMs: 1_000, longestMs: 60_000 };

/** `work` is told whether it was tried before. Rejects as it does, once that is not `unavailable`, or has been for long, or nobody wants it. */
export async function untilDone(
  work: (isAgain: boolean) => Promise<void>,
  isWanted: () => boolean,
  { pauseMs, longestMs }: Patience = usual,
): Promise<void> {
  const until = performance.now() + longestMs;
  for (let isAgain = false; ; isAgain = true) {
    try {
      return await work(isAgain);
    } catch (error) {
      const isForLater = error instanceof AppError && error.code === "unavailable" && !isSessionEnd(error);
      if (!isForLater || performance.now() >= until) throw error;
      if (isWanted()) await sleep(pauseMs);
      // The next holder has the packet by now.
      if (!isWanted()) throw error;
    }
  }
}
