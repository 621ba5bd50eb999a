// What push counts.
import type { PushProvider } from "@parley/protocol";
import { counter, histogram, type Registry } from "@parley/runtime";
import type { Outcome } from "../providers/outgoing.ts";
import type { SkipReason } from "./judge.ts";

export interface PushMetrics {
  outcome(provider: PushProvider, outcome: Outcome["is"]): void;
  skipped(reason: SkipReason): void;
  /** `ms` from when it happened until the provider had it */
  delivered(provider: PushProvider, ms: number): void;
  /** a job was given up */
  dead(provider: PushProvider): void;
}

export function openPushMetrics(registry: Registry): PushMetrics {
  const outcomes = counter(registry, "push_outcomes_total", "notifications by what the provider said to them", [
    "provider",
    "outcome",
  ]);
  const skipped = counter(registry, "push_skipped_total", "notifications that were not sent, by why", ["reason"]);
  const dead = counter(registry, "push_dead_total", "notifications that were given up", ["provider"]);
  const seconds = histogram(registry, "push_delivery_seconds", "from what happened to the provider's answer", {
    labelNames: ["provider"],
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600],
  });
  return {
    outcome: (provider, outcome) => outcomes.inc({ provider, outcome }),
    skipped: (reason) => skipped.inc({ reason }),
    delivered: (provider, ms) => seconds.observe({ provider }, ms / 1_000),
    dead: (provider) => dead.inc({ provider }),
  };
}
