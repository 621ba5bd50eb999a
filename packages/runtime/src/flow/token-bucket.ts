// Token buckets: so much a second, so much at once. One for a single flow, or one a key.
import { LRUCache } from "lru-cache";
import { upTo } from "./up-to.ts";

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

const clock = (): number => performance.now();

export function openTokenBucket({ rate, burst, now = clock }: Rate): TokenBucket {
  return new Bucket(rate, burst, now);
}

/** Of a class, as there are several of each connection. */
class Bucket implements TokenBucket {
  readonly #rate: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(rate: number, burst: number, now: () => number) {
    this.#rate = rate;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  peek(cost = 1): number {
    this.#refill();
    return this.#msUntil(Math.min(cost, this.#burst));
  }

  take(cost = 1): number {
    const waitMs = this.peek(cost);
    if (waitMs === 0) this.#tokens -= cost;
    return waitMs;
  }

  spend(cost = 1): number {
    this.#refill();
    this.#tokens -= cost;
    return this.#msUntil(0);
  }

  #refill(): void {
    const time = this.#now();
    const gained = (Math.max(0, time - this.#at) * this.#rate) / 1_000;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#at = time;
  }

  /** What costs more than a full bucket goes when the bucket is full: it would never go otherwise. */
  #msUntil(wanted: number): number {
    return this.#tokens >= wanted ? 0 : Math.ceil(((wanted - this.#tokens) * 1_000) / this.#rate);
  }
}

/** As one bucket, each key has its own. */
export interface TokenBuckets {
  take(key: string, cost?: number): number;
  peek(key: string, cost?: number): number;
}

/** `keys` buckets at most. Of more keys the least recently used is forgotten, and starts with a full burst again. */
export function openTokenBuckets({ keys, ...rate }: Rate & { keys: number }): TokenBuckets {
  const buckets = new LRUCache<string, TokenBucket>(upTo(keys));
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
