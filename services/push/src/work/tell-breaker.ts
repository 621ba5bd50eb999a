// What an outcome says of its provider: told to the breaker, and to the operator when the provider is left alone or works again.
import type { PushProvider } from "@parley/protocol";
import type { Logger } from "@parley/runtime";
import type { Outcome } from "../providers/outgoing.ts";
import type { Breaker } from "./breaker.ts";
import type { OwnBreaker } from "./breakers.ts";

export interface TellBreakerParts {
  provider: PushProvider;
  log: Logger;
}

/** A line each time the provider is left alone, and one when it works again: however many notifications fail meanwhile. */
export function tellBreaker(parts: TellBreakerParts, breaker: Breaker | OwnBreaker, outcome: Outcome): void {
  if (isUnasked(outcome)) return;
  if (outcome.is === "misconfigured" || outcome.is === "later" || outcome.is === "unknown")
    tellFailed(parts, breaker, outcome);
  // Whatever it says of one notification, it is there and knows us.
  else if (outcome.is !== "again" && breaker.succeeded())
    parts.log.info({ event: "push_provider_works", ...who(parts, breaker) });
}

/** It says nothing of the provider, and is no attempt. */
export function isUnasked(outcome: Outcome): boolean {
  return outcome.is === "later" && outcome.unasked === true;
}

type Failure = Extract<Outcome, { is: "misconfigured" | "later" | "unknown" }>;

function tellFailed(parts: TellBreakerParts, breaker: Breaker | OwnBreaker, outcome: Failure): void {
  const isOurs = outcome.is === "misconfigured";
  const ms = breaker.failed(isOurs ? { misconfigured: true, pauseMs: outcome.pauseMs ?? 0 } : {});
  if (ms === undefined) return;
  // A setting waits for an operator; an outage passes by itself.
  const level = isOurs ? "error" : "warn";
  const { is, reason } = outcome;
  parts.log[level]({
    event: "push_provider_left_alone",
    ...who(parts, breaker),
    outcome: is,
    reason,
    ms: Math.round(ms),
  });
}

function who({ provider }: TellBreakerParts, breaker: Breaker | OwnBreaker) {
  return { provider, ...("origin" in breaker && { origin: breaker.origin }) };
}
