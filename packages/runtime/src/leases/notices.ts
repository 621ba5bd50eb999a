// What replicas tell each other of leases over Redis' pub/sub: only a hint that it is worth looking, quicker than a turn.
import type { Redis } from "ioredis";
import type { Logger } from "../process/log.ts";
import { noticeChannel } from "./keys.ts";

/** One of these happened to the replica `by`. */
export interface LeaseNotice {
  by: string;
  /** it has begun to work on these keys */
  held?: string[];
  /** it gave these keys up: anybody may take them */
  freed?: string[];
  /** it came to, or left, the replicas that share the keys */
  replicas?: "joined" | "left";
}

export interface Notices {
  close(): void;
}

const pingEveryMs = 5_000;

/**
 * Follows the notices of a kind, on a connection of its own, until closed. `missed` is called when the connection is
 * there (again): what was told before is not known. Nothing depends on it: without pub/sub there are simply no notices.
 */
export function followNotices(
  options: { redis: Redis; kind: string; log: Logger },
  on: { notice(notice: LeaseNotice): void; missed(): void },
): Notices {
  const { redis, kind, log } = options;
  const channel = noticeChannel(kind);
  const subscriber = redis.duplicate({ autoResubscribe: false });
  // The connection that carries commands says what is wrong with Redis.
  subscriber.on("error", (error: Error) => log.debug({ event: "lease_notices_error", kind, reason: error.message }));
  subscriber.on("ready", () => {
    subscriber.subscribe(channel).then(on.missed, (error: unknown) => {
      log.debug({ event: "lease_notices_unheard", kind, reason: String(error) });
      subscriber.disconnect(true);
    });
  });
  subscriber.on("message", (_channel, text: string) => {
    const notice = readNotice(text);
    if (notice) on.notice(notice);
    else log.warn({ event: "lease_notice_unreadable", kind });
  });
  // A connection that is only listened to would not notice that the other end is gone.
  const pings = setInterval(() => {
    if (subscriber.status === "ready") subscriber.ping().catch(() => subscriber.disconnect(true));
  }, pingEveryMs);
  return {
    close() {
      clearInterval(pings);
      subscriber.disconnect();
    },
  };
}

function readNotice(text: string): LeaseNotice | undefined {
  try {
    const notice = JSON.parse(text) as LeaseNotice | null;
    return typeof notice?.by === "string" ? notice : undefined;
  } catch {
    return undefined;
  }
}

/** Tells that `instance` has begun to work on keys: all that were added in one turn of the event loop at once. */
export function createHeldNotice(redis: Redis, kind: string, instance: string): { add(key: string): void } {
  let keys: string[] = [];
  return {
    add(key) {
      keys.push(key);
      if (keys.length > 1) return;
      setImmediate(() => {
        const notice: LeaseNotice = { by: instance, held: keys };
        keys = [];
        redis.publish(noticeChannel(kind), JSON.stringify(notice)).catch(() => 0);
      });
    },
  };
}
