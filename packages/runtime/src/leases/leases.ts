// Leases: which keys of a kind this replica holds, kept in Redis and spread evenly over the living replicas.
import type { Redis } from "ioredis";
import { repeat } from "../flow/repeat.ts";
import type { Logger } from "../process/log.ts";
import { createLeaseDoubt } from "./doubt.ts";
import { createHoldings, type ReleaseReason } from "./holdings.ts";
import { createHeldNotice, followNotices } from "./notices.ts";
import { leaseScript, sureMs } from "./script.ts";
import { createLeaseTurns } from "./turns.ts";

export type { ReleaseReason } from "./holdings.ts";
export { sureMs } from "./script.ts";

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
  /** The first turn takes what others hold: where it is proven that none of them lives any more. */
  seize?: boolean;
}

export interface Leases {
  /** The keys whose work has begun and was not told to end. */
  held(): ReadonlySet<string>;
  /**
   * Until when (performance.now()) the key is surely nobody else's: `sureMs` after it was last renewed, and past once
   * this process stood still for longer. -Infinity: it is not ours.
   */
  sureUntil(key: string): number;
  /** True when it holds a key or none is due to it; else the reason, for readiness. */
  ready(): true | string;
  /**
   * Undefined as a rule. When this process stood still for longer than a lease: resolves when it is known again which
   * keys are another's now (each told by `release`), or that Redis could not be asked for as long as a lease.
   */
  afterPause(): Promise<void> | undefined;
  /** Gives up all keys, each free for others as soon as its release has resolved. */
  close(): Promise<void>;
}

// What is told within this time is one turn.
const noticedTurnMs = 2;

/**
 * Begins at once to take keys. Redis away: the holder goes on. Key gone: set again. Another's value: released as
 * "lost". While `alive()` is false keys are kept, unrenewed, until another's value is seen.
 */
export function startLeases(options: LeaseOptions): Leases {
  const { redis, kind, keys, instance, log, seize = false } = options;
  const script = leaseScript(redis, kind, keys, instance);
  const begun = createHeldNotice(redis, kind, instance).add;
  const awayMax = Math.max(2, Math.ceil(keys.length / 64));
  const holdings = createHoldings({ ...options, drop: script.drop, begun, awayMax });
  const turns = createLeaseTurns({ ...options, seize, script, holdings });
  let closing: Promise<void> | undefined;

  const doubt = createLeaseDoubt(turns, () => turning.next());
  const turning = repeat(async () => {
    void doubt.ask();
    await turns.take(closing !== undefined);
    if (closing && turns.others() === 0) holdings.alone();
  }, turns.pauseMs);
  const notices = followNotices(options, {
    missed: () => turning.soon(noticedTurnMs),
    notice({ by, held = [], freed, replicas }) {
      if (by === instance) return;
      for (const key of held) holdings.taken(key);
      if (replicas || (freed && turns.wants())) turning.soon(noticedTurnMs);
    },
  });
  const closeAll = async () => {
    // A turn that is under way may take keys.
    await turning.settled();
    await script.leave().catch((error) => {
      log.warn({ event: "replica_not_removed", kind, reason: String(error) });
      holdings.alone();
    });
    turning.soon(0);
    await holdings.releaseAll();
    notices.close();
    await turning.stop();
  };
  return {
    held: () => holdings.held,
    sureUntil: (key) => (holdings.mark(key) === "h" ? turns.renewedAt() + sureMs : Number.NEGATIVE_INFINITY),
    ready: () => holdings.held.size > 0 || turns.others() >= keys.length || `holds no ${kind} partition yet`,
    afterPause: doubt.ask,
    close() {
      closing ??= closeAll();
      return closing;
    },
  };
}
