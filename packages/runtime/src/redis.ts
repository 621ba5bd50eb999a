// The connection to Redis: for ever reconnecting, and failing at once while it is away.
import { Redis } from "ioredis";
import type { Health } from "./health.ts";
import type { Logger } from "./log.ts";
import { sayWaiting, withoutCredentials } from "./waiting.ts";

export type { Redis } from "ioredis";

/**
 * Connects, waiting (and saying so) until Redis is there. Later it reconnects by itself; commands fail at once while it
 * is away and after 1 s without an answer, and none is sent twice.
 */
export async function connectRedis(options: {
  url: string;
  log: Logger;
  health?: Health;
  name?: string;
}): Promise<Redis> {
  const { url, log, health, name } = options;
  let lastError: string | undefined;
  let connected = false;
  const redis = new Redis(url, {
    ...(name === undefined ? {} : { connectionName: name }),
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 1000,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.random() * Math.min(100 * attempt, 500),
  });
  redis.on("error", (error: Error) => {
    lastError = error.message;
  });
  redis.on("close", () => {
    if (connected) log.warn({ event: "redis_lost", address: withoutCredentials(url), reason: lastError });
    connected = false;
  });
  const waiting = sayWaiting(log, "redis", url, () => lastError);
  await new Promise<void>((resolve) => {
    redis.on("ready", () => {
      if (!connected) log.debug({ event: "redis_connected" });
      connected = true;
      lastError = undefined;
      resolve();
    });
  });
  waiting.done();
  health?.check("redis", () => connected || `not connected: ${lastError ?? "connection lost"}`);
  return redis;
}
