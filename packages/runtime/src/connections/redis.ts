// The connection to Redis: for ever reconnecting, failing at once while it is away, and left when it hangs.
import { backoffMs } from "@parley/protocol";
import { Redis } from "ioredis";
import type { Health } from "../process/health.ts";
import type { Logger } from "../process/log.ts";
import { sayWaiting, withoutCredentials } from "./waiting.ts";

export type { Redis } from "ioredis";

/** A Redis that has not answered for this long is left; what was sent to it would gather here for as long as it hangs. */
const silenceMs = 3_000;
const pingEveryMs = 2_000;
const backoff = { baseMs: 100, maxMs: 500 };

/**
 * Connects, waiting (and saying so) until Redis is there. Later it reconnects by itself; commands fail at once while it
 * is away and after 1 s without an answer, and none is sent twice. One that hangs counts as away after 3 to 5 s.
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
    socketTimeout: silenceMs,
    retryStrategy: (attempt) => backoffMs(attempt, backoff),
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
  // Who asks nothing for long would not notice.
  const pinging = setInterval(() => void redis.ping().catch(() => undefined), pingEveryMs).unref();
  redis.on("end", () => clearInterval(pinging));
  health?.check("redis", () => connected || `not connected: ${lastError ?? "connection lost"}`);
  return redis;
}
