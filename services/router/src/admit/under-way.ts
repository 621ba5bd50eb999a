// What was confirmed on arrival and is not answered yet: no window of the broker holds it back, so it is counted here.
import { AppError } from "@parley/protocol";
import { openTally } from "@parley/runtime";

export interface UnderWay {
  /**
   * Answers what to call at the end; undefined when too much is under way already, of all or of this device. Without a
   * `clientId` it counts towards all alone.
   */
  begin(clientId: string | undefined, bytes: number): (() => void) | undefined;
  count(): number;
}

const defaults = { count: 4_000, bytes: 32 * 1024 * 1024, countEach: 200 };

/** Requests, states, receipts and typing of all partitions together; `countEach` requests or states of one device. */
export function createUnderWay(limits: Partial<typeof defaults> = {}): UnderWay {
  const { count: countMax, bytes: bytesMax, countEach } = { ...defaults, ...limits };
  const ofDevice = openTally();
  let count = 0;
  let held = 0;
  return {
    begin(clientId, bytes) {
      const own = clientId === undefined ? 0 : ofDevice.of(clientId);
      if (own >= countEach || count >= countMax || held + bytes > bytesMax) return undefined;
      if (clientId !== undefined) ofDevice.add(clientId);
      count += 1;
      held += bytes;
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        count -= 1;
        held -= bytes;
        if (clientId !== undefined) ofDevice.remove(clientId);
      };
    },
    count: () => count,
  };
}

export function tooMuch(): AppError {
  return new AppError("rate_limited", "too much is under way; send it again");
}
