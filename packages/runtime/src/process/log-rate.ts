// How often one event may be logged: a burst, then a line a second, and how many were left out.

/** Lines of one event that may come at once, and a second from then on. */
const burst = 50;
const perSecond = 1;
/** Names of events are words of the code; should one ever be made from input, memory stays bounded. */
const eventsMax = 1_000;
const sayAfterMs = 10_000;

interface Bucket {
  lines: number;
  at: number;
  leftOut: number;
}

export interface LogRate {
  /** May a line of this event be written now? */
  admits(event: string): boolean;
}

/** `say` is called ten seconds after lines began to be left out, with how many there were, and again while they are. */
export function createLogRate(say: (event: string, count: number) => void, now = () => performance.now()): LogRate {
  const buckets = new Map<string, Bucket>();
  let timer: NodeJS.Timeout | undefined;

  function sayAll(): void {
    timer = undefined;
    for (const [event, bucket] of buckets) {
      const { leftOut } = bucket;
      if (leftOut === 0) continue;
      bucket.leftOut = 0;
      say(event, leftOut);
    }
  }

  function bucketOf(event: string): Bucket {
    let bucket = buckets.get(event);
    if (!bucket) {
      if (buckets.size >= eventsMax) buckets.clear();
      bucket = { lines: burst, at: now(), leftOut: 0 };
      buckets.set(event, bucket);
    }
    return bucket;
  }

  return {
    admits(event) {
      const bucket = bucketOf(event);
      const at = now();
      bucket.lines = Math.min(burst, bucket.lines + ((at - bucket.at) * perSecond) / 1_000);
      bucket.at = at;
      if (bucket.lines >= 1) {
        bucket.lines -= 1;
        return true;
      }
      bucket.leftOut += 1;
      // It holds no process up: a clean end says nothing of the last few seconds.
      if (!timer) timer = setTimeout(sayAll, sayAfterMs).unref();
      return false;
    },
  };
}
