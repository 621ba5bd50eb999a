// Guesses at secrets: so many may fail in a minute. Counted in Redis for all replicas, and in memory for when Redis is away.

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { backoffMs, foldName } from "@parley/protocol";
import { LRUCache } from "lru-cache";
import type { Redis } from "../connections/redis.ts";
import { addressKey } from "../flow/address.ts";
import { upTo } from "../flow/up-to.ts";
import type { Logger } from "../process/log.ts";

/** One counter: whose failures they are (`"address 192.0.2.1"`) and how many there may be in a window. */
export interface FailureLimit {
  key: string;
  max: number;
}

/** Wrong passwords a minute. */
export interface LoginFailuresMax {
  ofAddress: number;
  forUser: number;
}

/**
 * The counters of a password's check, the same at every door. A name counts however it is spelled. A user has no counter
 * alone: strangers would fill it.
 */
export function loginCounters(address: string, username: string, max: LoginFailuresMax): FailureLimit[] {
  const from = addressKey(address);
  return [
    { key: `login ${from}`, max: max.ofAddress },
    { key: `login ${from} ${foldName(username)}`, max: max.forUser },
  ];
}

/** `right` is what the check said; `retryAfterMs` that none was made, because too many failed. */
export type Guess = { right: boolean | undefined } | { retryAfterMs: number };

export interface Failures {
  /**
   * Makes the check unless one of the counters is used up. A guess counts from before it is checked, so that many at once
   * get no further than one after the other, and stays counted if it was wrong. `undefined` (nobody could tell) is no
   * failure. Guesses that may turn out right are waited for.
   */
  guess(limits: readonly FailureLimit[], check: () => Promise<boolean | undefined>): Promise<Guess>;
}

export interface FailuresOptions {
  /** of the keys in Redis */
  prefix: string;
  /** answers the connection once there is one */
  redis: () => Redis | undefined;
  log: Logger;
  windowMs?: number;
  /** how long a guess waits for the verdicts of those under way */
  waitMs?: number;
  /** how long Redis may take; a guess that it does not answer in time is counted in memory alone */
  answerMs?: number;
}

interface Tally {
  failed: number;
  underWay: number;
  /** guesses that wait for those under way */
  waiting: number;
  endsAt: number;
}

/** 0: the guess is counted; else how long until the window ends, or that only those under way stand in its way. */
type Reserved = number | "under_way";

const restMs = 1000;
const localTallies = 100_000;
const pauses = { baseMs: 20, maxMs: 500 };

export function openFailures(options: FailuresOptions): Failures {
  const { windowMs = 60_000, waitMs = 5_000 } = options;
  const local = openLocal(windowMs);
  const shared = openShared(options, windowMs);

  /** Memory is asked first: what this replica knows costs no question. */
  async function reserve(limits: readonly FailureLimit[]): Promise<Reserved> {
    const here = local.reserve(limits);
    if (here !== 0) return here;
    const everywhere = await shared.reserve(limits);
    if (everywhere !== 0) local.settle(limits, false);
    return everywhere;
  }

  async function reserveInTime(limits: readonly FailureLimit[]): Promise<number> {
    const until = performance.now() + waitMs;
    for (let attempt = 1; ; attempt++) {
      const reserved = await reserve(limits);
      if (reserved !== "under_way") return reserved;
      if (performance.now() > until) return restMs;
      const waited = local.wait(limits, () => sleep(backoffMs(attempt, pauses)));
      if (waited === undefined) return restMs;
      await waited;
    }
  }

  return {
    async guess(limits, check) {
      const retryAfterMs = await reserveInTime(limits);
      if (retryAfterMs > 0) return { retryAfterMs };
      let right: boolean | undefined;
      try {
        right = await check();
      } finally {
        local.settle(limits, right === false);
        // Until Redis has heard it, the guess counts as under way there.
        void shared.settle(limits, right === false);
      }
      return { right };
    },
  };
}

function openLocal(windowMs: number) {
  const tallies = new LRUCache<string, Tally>(upTo(localTallies));

  function tallyOf(key: string): Tally {
    const now = performance.now();
    const known = tallies.get(key);
    if (known !== undefined && known.endsAt > now) return known;
    // Those under way in a window that has ended still are.
    const tally = { failed: 0, underWay: known?.underWay ?? 0, waiting: known?.waiting ?? 0, endsAt: now + windowMs };
    tallies.set(key, tally);
    return tally;
  }

  return {
    reserve(limits: readonly FailureLimit[]): Reserved {
      const now = performance.now();
      const counted = limits.map(({ key, max }) => ({ max, tally: tallyOf(key) }));
      const over = counted.find(({ tally, max }) => tally.failed >= max);
      if (over !== undefined) return Math.max(1, Math.ceil(over.tally.endsAt - now));
      if (counted.some(({ tally, max }) => tally.failed + tally.underWay >= max)) return "under_way";
      for (const { tally } of counted) tally.underWay += 1;
      return 0;
    },

    settle(limits: readonly FailureLimit[], wrong: boolean): void {
      for (const { key } of limits) {
        const tally = tallyOf(key);
        tally.underWay = Math.max(0, tally.underWay - 1);
        if (wrong) tally.failed += 1;
      }
    },

    /** undefined: as many of one key wait already as may fail. */
    wait(limits: readonly FailureLimit[], pause: () => Promise<unknown>): Promise<unknown> | undefined {
      const tallies = limits.map(({ key, max }) => ({ max, tally: tallyOf(key) }));
      if (tallies.some(({ tally, max }) => tally.waiting >= max)) return undefined;
      for (const { tally } of tallies) tally.waiting += 1;
      return pause().finally(() => {
        for (const { tally } of tallies) tally.waiting -= 1;
      });
    },
  };
}

// A hash a key: f failed, u under way. A replica that dies leaves its guesses under way until the window ends.
const reserveScript = `
local underWay = false
for i, key in ipairs(KEYS) do
  local max = tonumber(ARGV[i + 1])
  local failed = tonumber(redis.call("HGET", key, "f") or "0")
  if failed >= max then return redis.call("PTTL", key) end
  if failed + tonumber(redis.call("HGET", key, "u") or "0") >= max then underWay = true end
end
if underWay then return -1 end
for _, key in ipairs(KEYS) do
  redis.call("HINCRBY", key, "u", 1)
  if redis.call("PTTL", key) < 0 then redis.call("PEXPIRE", key, ARGV[1]) end
end
return 0`;

const settleScript = `
for _, key in ipairs(KEYS) do
  if tonumber(redis.call("HGET", key, "u") or "0") > 0 then redis.call("HINCRBY", key, "u", -1) end
  if ARGV[2] == "wrong" then redis.call("HINCRBY", key, "f", 1) end
  if redis.call("EXISTS", key) == 1 and redis.call("PTTL", key) < 0 then redis.call("PEXPIRE", key, ARGV[1]) end
end
return 0`;

function openShared({ prefix, redis, log, answerMs = 100 }: FailuresOptions, windowMs: number) {
  let restsUntil = 0;

  /** What is read in passing may take no long time: a Redis that is away or slow is left alone for a second. */
  async function run(script: string, keys: readonly string[], args: (string | number)[]): Promise<number | undefined> {
    const connection = redis();
    if (connection?.status !== "ready" || performance.now() < restsUntil) return undefined;
    const late = new AbortController();
    try {
      const answer = connection.eval(script, keys.length, ...keys.map((key) => prefix + digest(key)), ...args);
      answer.catch(() => {});
      const silence = sleep(answerMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(`no answer in ${answerMs} ms`);
      });
      silence.catch(() => {});
      return (await Promise.race([answer, silence])) as number;
    } catch (error) {
      restsUntil = performance.now() + restMs;
      log.warn({ event: "failures_local", reason: error instanceof Error ? error.message : String(error) });
      return undefined;
    } finally {
      late.abort();
    }
  }

  const keysOf = (limits: readonly FailureLimit[]) => limits.map(({ key }) => key);
  return {
    async reserve(limits: readonly FailureLimit[]): Promise<Reserved> {
      const maxima = limits.map(({ max }) => max);
      const answer = await run(reserveScript, keysOf(limits), [windowMs, ...maxima]);
      return answer === -1 ? "under_way" : (answer ?? 0);
    },
    settle(limits: readonly FailureLimit[], wrong: boolean) {
      return run(settleScript, keysOf(limits), [windowMs, wrong ? "wrong" : "right"]);
    },
  };
}

/** Names of people are no keys in Redis, and any text has one length. */
function digest(key: string): string {
  return createHash("sha256").update(key).digest("base64url");
}
