// The turns of one replica: what each asks of Redis, what it learnt, and how long until the next.

import type { Logger } from "../process/log.ts";
import type { Holdings } from "./holdings.ts";
import { type LeaseScript, quietMs, type TurnResult } from "./script.ts";

export interface LeaseTurns {
  /** Never rejects. `closing`: renews only. */
  take(closing: boolean): Promise<void>;
  /** How long until the next turn, if nothing calls for it sooner. */
  pauseMs(): number;
  /** False when this replica has all the keys that are due to it, as far as the last turn knew. */
  wants(): boolean;
  /** How many other replicas live, as far as the last turn knew. */
  others(): number;
  /** When the keys were renewed last (performance.now()). */
  renewedAt(): number;
  /** When the last turn that has ended began, and the last one that Redis answered. */
  startedAt(): number;
  answeredAt(): number;
}

export interface LeaseTurnsParts {
  kind: string;
  keys: readonly string[];
  instance: string;
  script: LeaseScript;
  holdings: Holdings;
  /** The first turn that takes keys takes those of others too. */
  seize: boolean;
  alive(): boolean;
  log: Logger;
}

const turnMs = 500;
// While this replica has not its share: without notices this is how quickly keys move.
const unevenTurnMs = 100;

export function createLeaseTurns(parts: LeaseTurnsParts): LeaseTurns {
  const { kind, keys, instance, script, holdings, alive, log } = parts;
  const now = () => performance.now();
  let last: TurnResult | undefined;
  let startedAt = now();
  let answeredAt = 0;
  let seize = parts.seize;
  let quietUntil = 0;
  let renewedAt = 0;
  let failing = false;

  const ask = async (beganAt: number, marks: string, closing: boolean) => {
    const renew = alive();
    if (!renew && renewedAt > 0) quietUntil = beganAt + quietMs;
    const join = renew && !closing;
    const take = join && beganAt >= quietUntil;
    const result = await script.turn({ renew, join, take, seize: seize && take, marks });
    last = result;
    if (take) seize = false;
    if (renew) renewedAt = beganAt;
    if (result.otherEpoch) quietUntil = now() + quietMs;
    return { result, take };
  };

  const turn = async (beganAt: number, closing: boolean) => {
    const marks = keys.map((key) => holdings.mark(key)).join("");
    const { result, take } = await ask(beganAt, marks, closing);
    if (failing) log.info({ event: "leases_reachable", kind });
    failing = false;
    const ours = apply(holdings, { keys, marks, instance, result });
    // A take whose answer was lost.
    if (closing) await Promise.all(ours.map((key) => script.drop(key)));
    else for (const key of ours) holdings.begin(key);
    if (take && !result.otherEpoch) holdings.shrink(result.share);
  };

  return {
    async take(closing) {
      const beganAt = now();
      try {
        await turn(beganAt, closing);
        answeredAt = beganAt;
      } catch (error) {
        quietUntil = now() + quietMs;
        last = undefined;
        if (!failing) log.warn({ event: "leases_unreachable", kind, reason: String(error) });
        failing = true;
      }
      startedAt = beganAt;
    },
    pauseMs: () => (now() < quietUntil ? turnMs : pauseAfter(last)),
    wants: () => last === undefined || last.mine < last.share,
    others: () => last?.others ?? 0,
    renewedAt: () => renewedAt,
    startedAt: () => startedAt,
    answeredAt: () => answeredAt,
  };
}

function pauseAfter(last: TurnResult | undefined): number {
  if (!last) return turnMs;
  // Whoever is not heard of until then is gone, and its keys with it.
  const untilExpiryMs = last.nextExpiryMs > 0 ? last.nextExpiryMs + 5 : turnMs;
  return Math.min(last.mine === last.share ? turnMs : unevenTurnMs, untilExpiryMs);
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
    if (owner !== turn.instance && owner !== "") holdings.taken(key);
    if (mark === "-" && owner === turn.instance) ours.push(key);
    if (mark === "h" && owner !== turn.instance && owner !== "") holdings.lose(key);
  }
  return ours;
}
