// Whether a provider is asked at all: after many failures in a row it is left alone for a while, then tried with little.
import { backoffMs } from "@parley/protocol";

export interface Breaker {
  /** ms until the provider may be tried; 0: now */
  waitMs(): number;
  /** It was left alone and nothing has succeeded since: little is tried. */
  isTrying(): boolean;
  /** True: it had been left alone, and this is the first that succeeded since. */
  succeeded(): boolean;
  /**
   * `misconfigured`: it will take nothing of us, so that one failure is enough. `pauseMs`: at least so long. Answers the ms for which
   * this failure has it left alone; undefined: it changes nothing.
   */
  failed(how: { misconfigured?: boolean; pauseMs?: number }): number | undefined;
}

/** One device that is throttled, or a few requests that are lost, say nothing about the provider. */
const failuresInARow = 20;
const outage = { baseMs: 1_000, maxMs: 60_000 };
const misconfiguration = { baseMs: 10_000, maxMs: 300_000 };

export function openBreaker(now: () => number = () => performance.now(), random?: () => number): Breaker {
  let failures = 0;
  let openings = 0;
  let until = 0;

  return {
    waitMs: () => Math.max(0, until - now()),
    isTrying: () => openings > 0,
    succeeded() {
      const wasLeftAlone = openings > 0;
      failures = 0;
      openings = 0;
      until = 0;
      return wasLeftAlone;
    },
    failed({ misconfigured = false, pauseMs = 0 }) {
      failures += 1;
      if (now() < until) return undefined;
      if (!misconfigured && failures < failuresInARow && openings === 0) return undefined;
      openings += 1;
      const backoff = misconfigured ? misconfiguration : outage;
      const leftMs = Math.max(pauseMs, backoffMs(openings, backoff, random));
      until = now() + leftMs;
      return leftMs;
    },
  };
}
