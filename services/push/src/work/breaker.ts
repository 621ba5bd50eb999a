// Whether a provider is asked at all: after many failures in a row it is left alone for a while, then tried with little.
import { backoffMs } from "@parley/protocol";

export interface Breaker {
  /** ms until the provider may be tried; 0: now */
  waitMs(): number;
  /** It was left alone and nothing has succeeded since: little is tried. */
  isTrying(): boolean;
  succeeded(): void;
  /** `misconfigured`: it will take nothing of us, so that one failure is enough. `pauseMs`: at least so long. */
  failed(how: { misconfigured?: boolean; pauseMs?: number }): void;
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
      failures = 0;
      openings = 0;
      until = 0;
    },
    failed({ misconfigured = false, pauseMs = 0 }) {
      failures += 1;
      if (now() < until) return;
      if (!misconfigured && failures < failuresInARow && openings === 0) return;
      openings += 1;
      const backoff = misconfigured ? misconfiguration : outage;
      until = now() + Math.max(pauseMs, backoffMs(openings, backoff, random));
    },
  };
}
