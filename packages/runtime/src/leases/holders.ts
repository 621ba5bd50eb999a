// Who holds which lease, as others see it: read together, on demand, and followed by what the holders tell.
import type { Redis } from "ioredis";
import type { Logger } from "../process/log.ts";
import { leaseKey } from "./keys.ts";
import { followNotices } from "./notices.ts";

const pauseMs = 20;
const formerMax = 16;

export interface HolderLookup {
  /** The instance last known to hold `key`. It stays known while Redis is away and while the key is free. */
  of(key: string): string | undefined;
  /** Reads all holders again, beginning after this call. Calls share a read; reads are ≥ 20 ms apart. Never rejects. */
  refresh(): Promise<void>;
  /** Resolves when it is told (or may have been) that somebody has begun to hold `key`, or `ms` from now. */
  told(key: string, ms: number): Promise<void>;
  /** Those known to hold something. */
  instances(): Set<string>;
  /**
   * The latest that held something and, as far as is known, hold nothing any more, and since when (performance.now()).
   * Such a one may live and not know it yet.
   */
  former(): ReadonlyMap<string, number>;
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
  const former = new Map<string, number>();
  const toldWhileReading = new Set<string>();
  const waiting = createWaiting();
  let running: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  let closed = false;
  let failing = false;

  const note = (key: string, holder: string) => {
    const before = known.get(key);
    known.set(key, holder);
    former.delete(holder);
    if (before === undefined || [...known.values()].includes(before)) return;
    former.set(before, performance.now());
    for (const oldest of former.keys()) if (former.size > formerMax) former.delete(oldest);
  };

  const read = async () => {
    if (closed || keys.length === 0) return;
    toldWhileReading.clear();
    try {
      const holders = await redis.mget(redisKeys);
      for (const [index, holder] of holders.entries()) {
        const key = keys[index] as string;
        if (holder !== null && !toldWhileReading.has(key)) note(key, holder);
      }
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

  const followed = new Set(keys);
  const notices = followNotices(options, {
    missed: () => void refresh().then(waiting.endAll),
    notice({ by, held = [] }) {
      for (const key of held) {
        if (!followed.has(key)) continue;
        note(key, by);
        toldWhileReading.add(key);
        waiting.end(key);
      }
    },
  });
  void refresh();
  return {
    of: (key) => known.get(key),
    refresh,
    told: waiting.start,
    instances: () => new Set(known.values()),
    former: () => former,
    close() {
      closed = true;
      notices.close();
      waiting.endAll();
    },
  };
}

/** Those who wait for a key to be told of, each at most for a time of its own. */
function createWaiting() {
  const ends = new Map<string, Set<() => void>>();
  const end = (key: string) => {
    for (const one of ends.get(key) ?? []) one();
  };
  return {
    start: (key: string, ms: number) =>
      new Promise<void>((resolve) => {
        const own = ends.get(key) ?? new Set();
        ends.set(key, own);
        const done = () => {
          clearTimeout(timer);
          own.delete(done);
          if (own.size === 0 && ends.get(key) === own) ends.delete(key);
          resolve();
        };
        const timer = setTimeout(done, ms);
        own.add(done);
      }),
    end,
    endAll() {
      for (const key of [...ends.keys()]) end(key);
    },
  };
}
