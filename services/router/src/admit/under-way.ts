// What was confirmed on arrival and is not answered yet: no window of the broker holds it back, so it is counted here.
import { AppError } from "@parley/protocol";

export interface UnderWay {
  /** Answers what to call at the end; undefined when too much is under way already. */
  begin(bytes: number): (() => void) | undefined;
  count(): number;
}

/** Requests, receipts and typing of all partitions together. */
export function createUnderWay({ count: countMax = 4_000, bytes: bytesMax = 32 * 1024 * 1024 } = {}): UnderWay {
  let count = 0;
  let held = 0;
  return {
    begin(bytes) {
      if (count >= countMax || held + bytes > bytesMax) return undefined;
      count += 1;
      held += bytes;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        count -= 1;
        held -= bytes;
      };
    },
    count: () => count,
  };
}

export function tooMuch(): AppError {
  return new AppError("rate_limited", "too much is under way; send it again");
}
