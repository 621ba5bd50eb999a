// Failed logins: ten a minute for a user name from an address, counted in Redis by all replicas, else in memory.
import { createHash } from "node:crypto";
import { AppError } from "@parley/protocol";
import type { Redis } from "@parley/runtime";
import { LRUCache } from "lru-cache";
import { foldName } from "./names.ts";

const windowSeconds = 60;
const failuresMax = 10;

export interface LoginLimits {
  /** Has this pair failed too often? */
  exceeded(username: string, address: string): Promise<boolean>;
  failed(username: string, address: string): Promise<void>;
}

export function tooManyFailures(): AppError {
  return new AppError("rate_limited", "too many failed logins; wait a minute");
}

export function createLoginLimits(redis: Redis): LoginLimits {
  const local = new LRUCache<string, number>({ max: 10_000, ttl: windowSeconds * 1000, noUpdateTTL: true });
  const keyOf = (username: string, address: string) =>
    `login-failures:${createHash("sha256")
      .update(`${foldName(username)}\n${address}`)
      .digest("base64url")}`;
  return {
    async exceeded(username, address) {
      const key = keyOf(username, address);
      // Redis away: what this replica saw itself still counts.
      const shared = Number(await redis.get(key).catch(() => 0));
      return Math.max(shared, local.get(key) ?? 0) >= failuresMax;
    },
    async failed(username, address) {
      const key = keyOf(username, address);
      local.set(key, (local.get(key) ?? 0) + 1);
      await redis
        .multi()
        .incr(key)
        .expire(key, windowSeconds, "NX")
        .exec()
        .catch(() => null);
    },
  };
}
