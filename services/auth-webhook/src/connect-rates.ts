// How often may be connected: counters per minute in Redis, in this process's memory while Redis is away.
import type { Logger, Redis } from "@parley/runtime";
import { LRUCache } from "lru-cache";

export interface ConnectRates {
  /** Counts one connect; false: too many of the address or the user in this minute. */
  admit(address: string, username: string): Promise<boolean>;
  /** So many wrong passwords from this address for this user that no more are checked in this minute? */
  failedTooOften(address: string, username: string): Promise<boolean>;
  /** Counts a wrong password. */
  failed(address: string, username: string): Promise<void>;
}

export interface RateLimits {
  perAddress: number;
  perUser: number;
  failures: number;
}

const windowMs = 60_000;
const answerMs = 100;
const restMs = 1000;
const localCounters = 100_000;

const bumpScript = `
local counts = {}
for i, key in ipairs(KEYS) do
  counts[i] = redis.call("INCR", key)
  if counts[i] == 1 then redis.call("EXPIRE", key, ARGV[1]) end
end
return counts`;

/** `redis` answers the connection once there is one. */
export function openConnectRates(limits: RateLimits, redis: () => Redis | undefined, log: Logger): ConnectRates {
  const local = new LRUCache<string, number>({ max: localCounters, ttl: windowMs });
  let restsUntil = 0;

  async function onRedis<T>(work: (redis: Redis) => Promise<T>): Promise<T | undefined> {
    const connection = redis();
    if (connection?.status !== "ready" || performance.now() < restsUntil) return undefined;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${answerMs} ms`)), answerMs);
    });
    try {
      return await Promise.race([work(connection), late]);
    } catch (error) {
      restsUntil = performance.now() + restMs;
      log.warn({ event: "rates_local", reason: error instanceof Error ? error.message : String(error) });
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async function bump(keys: string[]): Promise<number[]> {
    const counts = await onRedis((connection) =>
      connection.eval(bumpScript, keys.length, ...keys, (2 * windowMs) / 1000),
    );
    if (counts) return counts as number[];
    return keys.map((key) => {
      const count = (local.get(key) ?? 0) + 1;
      local.set(key, count);
      return count;
    });
  }

  return {
    async admit(address, username) {
      const [ofAddress, ofUser] = await bump([windowKey("address", address), windowKey("user", username)]);
      return ofAddress! <= limits.perAddress && ofUser! <= limits.perUser;
    },
    async failedTooOften(address, username) {
      const key = windowKey("failures", `${address} ${username}`);
      const kept = await onRedis(async (connection) => Number(await connection.get(key)));
      return (kept ?? local.get(key) ?? 0) >= limits.failures;
    },
    async failed(address, username) {
      await bump([windowKey("failures", `${address} ${username}`)]);
    },
  };
}

function windowKey(kind: string, of: string): string {
  return `rate:connect:${kind}:${Math.floor(Date.now() / windowMs)}:${of}`;
}
