// Step 2: how much a device may send; counted here, because a device has one router.
import { AppError, type UplinkTopic } from "@parley/protocol";
import { LRUCache } from "lru-cache";

const devicesKept = 100_000;

interface Bucket {
  tokens: number;
  at: number;
}

export type Admit = (topic: UplinkTopic) => AppError | undefined;

/** A token bucket a device: `rate` packets a second, `burst` at once. `now` in ms. */
export function createAdmit({
  rate,
  burst,
  now = () => performance.now(),
}: {
  rate: number;
  burst: number;
  now?: () => number;
}): Admit {
  const buckets = new LRUCache<string, Bucket>({ max: devicesKept });
  return ({ clientId }) => {
    const at = now();
    let bucket = buckets.get(clientId);
    if (!bucket) {
      bucket = { tokens: burst, at };
      buckets.set(clientId, bucket);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) * rate) / 1_000);
    bucket.at = at;
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return undefined;
    }
    const retryAfterMs = Math.ceil(((1 - bucket.tokens) * 1_000) / rate);
    return new AppError("rate_limited", `more than ${rate} packets a second`, { details: { retryAfterMs } });
  };
}
