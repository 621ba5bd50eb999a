// How often one device may call over HTTP: a token bucket each, in this replica's memory.
import { LRUCache } from "lru-cache";

export interface Rates {
  /** False: the device has used up its burst. */
  admit(device: string): boolean;
}

export function createRates({ perSecond, burst }: { perSecond: number; burst: number }): Rates {
  const buckets = new LRUCache<string, { tokens: number; at: number }>({ max: 50_000 });
  return {
    admit(device) {
      const now = performance.now();
      const bucket = buckets.get(device) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) / 1000) * perSecond);
      bucket.at = now;
      buckets.set(device, bucket);
      if (bucket.tokens < 1) return false;
      bucket.tokens--;
      return true;
    },
  };
}
