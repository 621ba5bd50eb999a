// Leases: which keys of a kind this replica holds, kept in Redis and spread evenly over the living replicas.
import type { Redis } from "ioredis";
import { createHoldings, type Holdings, type ReleaseReason } from "./lease-holdings.ts";
import { leaseMs, leaseScript, type TurnResult } from "./lease-script.ts";
import type { Logger } from "./log.ts";

export type { ReleaseReason } from "./lease-holdings.ts";

export interface LeaseOptions {
  redis: Redis;
  kind: "ingest" | "conversation";
  keys: readonly string[];
  /** The value of the leases; another one at each start of a process. */
  instance: string;
  log: Logger;
  /** False while the holder could not do its work (its NATS, broker or store is away): nothing is renewed or taken. */
  alive(): boolean;
  /** Begins the work of a key. The key counts as held once this has resolved; a rejection gives the key back. */
  acquire(key: string): Promise<void>;
  /** Ends the work of a key, which is renewed until this resolves and then free. "lost": another has it already. */
  release(key: string, reason: ReleaseReason): Promise<void>;
}

export interface Leases {
  /** The keys whose work has begun and was not told to end. */
  held(): ReadonlySet<string>;
  /** Held, and renewed less than a lease's time ago: surely nobody else's. False after the process was paused. */
  isFresh(key: string): boolean;
  /** Gives up all keys, each free for others as soon as its release has resolved. */
  close(): Promise<void>;
}

const turnMs = 500;
// After a flush or an outage (of Redis, of what `alive` watches) every holder sets its keys again before anybody takes
// one that only looks free.
const quietMs = 2000;

/**
 * Begins at once to take keys. Redis away: the holder goes on. Key gone: set again. Another's value: released as
 * "lost". While `alive()` is false keys are kept, unrenewed, until another's value is seen.
 */
export function startLeases(options: LeaseOptions): Leases {
  const { redis, kind, keys, instance, log, alive } = options;
  const script = leaseScript(redis, kind, keys, instance);
  const holdings = createHoldings({ ...options, drop: script.drop });
  let quietUntil = 0;
  let renewedAt = 0;
  let failing = false;
  let closing: Promise<void> | undefined;

  const takeTurn = async () => {
    const marks = keys.map((key) => holdings.mark(key)).join("");
    const startedAt = performance.now();
    const renew = alive();
    if (!renew && renewedAt > 0) quietUntil = startedAt + quietMs;
    const join = renew && !closing;
    try {
      const result = await script.turn({ renew, join, take: join && startedAt >= quietUntil, marks });
      if (failing) log.info({ event: "leases_reachable", kind });
      failing = false;
      if (renew) renewedAt = startedAt;
      if (result.otherEpoch) quietUntil = performance.now() + quietMs;
      const ours = apply(holdings, { keys, marks, instance, result });
      // A turn that was under way when close began may have taken keys.
      await Promise.all(ours.map((key) => (closing ? script.drop(key) : holdings.begin(key))));
      if (join) holdings.shrink(result.share);
    } catch (error) {
      quietUntil = performance.now() + quietMs;
      if (!failing) log.warn({ event: "leases_unreachable", kind, reason: String(error) });
      failing = true;
    }
  };

  const turns = repeat(takeTurn, turnMs);
  const closeAll = async () => {
    await turns.settled();
    await script.leave().catch((error) => log.warn({ event: "replica_not_removed", kind, reason: String(error) }));
    await holdings.releaseAll();
    await turns.stop();
  };
  return {
    held: () => holdings.held,
    isFresh: (key) => holdings.held.has(key) && performance.now() - renewedAt < leaseMs,
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}

/** Tells of keys that another holds now; answers those that have become ours. */
function apply(
  holdings: Holdings,
  turn: { keys: readonly string[]; marks: string; instance: string; result: TurnResult },
): string[] {
  const ours: string[] = [];
  for (const [index, key] of turn.keys.entries()) {
    const owner = turn.result.owners[index];
    // Judged by the mark that was sent: a key released meanwhile is not begun again by an older reply.
    const mark = turn.marks[index];
    if (mark === "-" && owner === turn.instance) ours.push(key);
    if (mark === "h" && owner !== turn.instance && owner !== "") holdings.lose(key);
  }
  return ours;
}

/** Runs `work` now and again `pauseMs` (± 10 %) after it has ended. */
function repeat(work: () => Promise<void>, pauseMs: number) {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void>;
  const run = () => {
    running = work().then(() => {
      if (!stopped) timer = setTimeout(run, pauseMs * (0.9 + Math.random() * 0.2));
    });
  };
  run();
  return {
    /** Resolves when no run is under way. */
    settled: () => running,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
