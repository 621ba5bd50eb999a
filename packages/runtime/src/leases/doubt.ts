// Whether this process stood still for so long that its keys may be another's, and when that is known again.
import { setTimeout as sleep } from "node:timers/promises";
import { leaseMs } from "./script.ts";
import type { LeaseTurns } from "./turns.ts";

export interface LeaseDoubt {
  /** Undefined as a rule; while in doubt, what resolves when it is over. To be asked before each turn. */
  ask(): Promise<void> | undefined;
}

const pauseMs = 50;

/**
 * In doubt from the first question after standing still, until a turn that began later was answered by Redis, or Redis
 * could not be asked for as long as a lease: then the holder goes on, as it does whenever Redis is away.
 */
export function createLeaseDoubt(turns: LeaseTurns, nextTurn: () => Promise<void>): LeaseDoubt {
  let doubt: Promise<void> | undefined;

  async function untilKnown(): Promise<void> {
    const since = performance.now();
    do {
      await sleep(pauseMs);
      await nextTurn();
    } while (turns.answeredAt() < since && performance.now() - since < leaseMs);
  }

  return {
    ask() {
      if (!doubt && performance.now() - turns.startedAt() > leaseMs)
        doubt = untilKnown().finally(() => {
          doubt = undefined;
        });
      return doubt;
    },
  };
}
