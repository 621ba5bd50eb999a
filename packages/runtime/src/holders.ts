// Who holds which lease, as others see it: read together, on demand.
import type { Redis } from "ioredis";
import { leaseKey } from "./lease-keys.ts";
import type { Logger } from "./log.ts";

const pauseMs = 20;

export interface HolderLookup {
  /** The instance last known to hold `key`. It stays known while Redis is away and while the key is free. */
  of(key: string): string | undefined;
  /** Reads all holders again, beginning after this call. Calls share a read; reads are ≥ 20 ms apart. Never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

/** Begins with one read. */
export function startHolderLookup(options: {
  redis: Redis;
  kind: string;
  keys: readonly string[];
  log: Logger;
}): HolderLookup {
  const { redis, kind, keys, log } = options;
  const redisKeys = keys.map((key) => leaseKey(kind, key));
  const known = new Map<string, string>();
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let closed = false;
  let failing = false;

  const read = async () => {
    if (closed || keys.length === 0) return;
    try {
      const holders = await redis.mget(redisKeys);
      for (const [index, holder] of holders.entries()) if (holder !== null) known.set(keys[index]!, holder);
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ event: "holders_unreadable", kind, reason: String(error) });
      failing = true;
    }
  };

  const refresh = () => {
    next ??= running.then(() => {
      next = undefined;
      const done = read();
      running = done.then(() => new Promise((resolve) => setTimeout(resolve, pauseMs)));
      return done;
    });
    return next;
  };

  void refresh();
  return {
    of: (key) => known.get(key),
    refresh,
    close: () => {
      closed = true;
    },
  };
}
