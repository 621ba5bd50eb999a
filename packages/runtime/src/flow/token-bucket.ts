// Token buckets: so much a second, so much at once. One for a single flow, or one a key.
import { LRUCache } from "lru-cache";

export interface Rate {
  /** tokens that come back in a second */
  rate: number;
  /** tokens of a full bucket: what may go at once */
  burst: number;
  /** ms of a clock that only goes forward */
  now?: () => number;
}

export interface TokenBucket {
  /** Takes `cost` tokens and answers 0; else takes none and answers the ms until they will be there. */
  take(cost?: number): number;
  /** As `take`, but takes nothing. */
  peek(cost?: number): number;
  /** Takes `cost` tokens even if they are not there, and answers the ms until the bucket has paid them back. */
  spend(cost?: number): number;
}

export function openTokenBucket({ rate, burst, now = () => performance.now() }: Rate): TokenBucket {
  let tokens = burst;
  let at = now();

  function refill(): void {
    const time = now();
    tokens = Math.min(burst, tokens + (Math.max(0, time - at) * rate) / 1_000);
    at = time;
  }

  /** What costs more than a full bucket goes when the bucket is full: it would never go otherwise. */
  const msUntil = (wanted: number) => (tokens >= wanted ? 0 : Math.ceil(((wanted - tokens) * 1_000) / rate));

  function peek(cost = 1): number {
    refill();
    return msUntil(Math.min(cost, burst));
  }

  return {
    peek,
    take(cost = 1) {
      const waitMs = peek(cost);
      if (waitMs === 0) tokens -= cost;
      return waitMs;
    },
    spend(cost = 1) {
      refill();
      tokens -= cost;
      return msUntil(0);
    },
  };
}

/** As one bucket, each key has its own. */
export interface TokenBuckets {
  take(key: string, cost?: number): number;
  peek(key: string, cost?: number): number;
}

/** `keys` buckets at most. Of more keys the least recently used is forgotten, and starts with a full burst again. */
export function openTokenBuckets({ keys, ...rate }: Rate & { keys: number }): TokenBuckets {
  const buckets = new LRUCache<string, TokenBucket>({ max: keys });
  return {
    take(key, cost) {
      let bucket = buckets.get(key);
      if (bucket === undefined) {
        bucket = openTokenBucket(rate);
        buckets.set(key, bucket);
      }
      return bucket.take(cost);
    },
    // A key without a bucket has a full one.
    peek: (key, cost) => buckets.get(key)?.peek(cost) ?? 0,
  };
}
