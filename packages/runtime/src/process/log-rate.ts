// How often one event may be logged: a burst, then a line a second, and how many were left out.
import { openTokenBucket, type TokenBucket } from "../flow/token-bucket.ts";

/** Lines of one event that may come at once, and a second from then on. */
const lineRate = { rate: 1, burst: 50 };
/** Names of events are words of the code; should one ever be made from input, memory stays bounded. */
const eventsMax = 1_000;
const sayAfterMs = 10_000;

interface Lines {
  bucket: TokenBucket;
  leftOut: number;
}

export interface LogRate {
  /** May a line of this event be written now? */
  admits(event: string): boolean;
}

/** `say` is called ten seconds after lines began to be left out, with how many there were, and again while they are. */
export function createLogRate(say: (event: string, count: number) => void, now = () => performance.now()): LogRate {
  const lines = new Map<string, Lines>();
  let timer: NodeJS.Timeout | undefined;

  function sayAll(): void {
    timer = undefined;
    for (const [event, one] of lines) {
      const { leftOut } = one;
      if (leftOut === 0) continue;
      one.leftOut = 0;
      say(event, leftOut);
    }
  }

  function linesOf(event: string): Lines {
    let found = lines.get(event);
    if (!found) {
      if (lines.size >= eventsMax) lines.clear();
      found = { bucket: openTokenBucket({ ...lineRate, now }), leftOut: 0 };
      lines.set(event, found);
    }
    return found;
  }

  return {
    admits(event) {
      const one = linesOf(event);
      if (one.bucket.take() === 0) return true;
      one.leftOut += 1;
      // It holds no process up: a clean end says nothing of the last few seconds.
      if (!timer) timer = setTimeout(sayAll, sayAfterMs).unref();
      return false;
    },
  };
}
