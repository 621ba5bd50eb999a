// Faults one after the other, drawn from the seed, while a workload runs.
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "@parley/testkit";
import { both, type Fault } from "./faults/fault.ts";
import { type Incident, suffer } from "./round.ts";
import type { Random } from "./seeded.ts";
import type { Workload } from "./workload/workload.ts";

export interface StormOptions {
  random: Random;
  /** these come first, in order */
  first?: readonly Fault[];
  /** then these, one after the other, sometimes two at once */
  draw?: () => Fault;
  forMs?: number;
  say?: (line: string) => void;
  signal?: AbortSignal;
}

const breathMaxMs = 3_000;
const twiceChance = 0.15;

/** For `runRound`: waits after each fault until the cluster has recovered, then for a moment. */
export function storm(cluster: Cluster, options: StormOptions): (workload: Workload) => Promise<Incident[]> {
  const { random, first = [], draw, forMs = 0, say = () => {}, signal } = options;
  const next = () => {
    const one = draw?.();
    return one && draw && random.chance(twiceChance) ? both(one, draw()) : one;
  };
  return async (workload) => {
    const until = performance.now() + forMs;
    const incidents: Incident[] = [];
    const pending = [...first];
    while ((pending.length > 0 || performance.now() < until) && !signal?.aborted) {
      const fault = pending.shift() ?? next();
      if (!fault) break;
      const incident = await suffer(cluster, workload, fault, random);
      incidents.push(incident);
      say(`${[incident.fault, incident.detail].filter(Boolean).join(", ")}: ${describe(incident)}`);
      if (pending.length === 0) await sleep(random.below(Math.min(breathMaxMs, forMs)));
    }
    return incidents;
  };
}

function describe({ recoveryMs, failure }: Incident): string {
  if (failure !== undefined) return `could not be done: ${failure}`;
  return recoveryMs === undefined
    ? "not recovered within a minute"
    : `all acknowledged again, longest wait ${Math.round(recoveryMs)} ms`;
}

/** Deals all of them in an order of chance, then all again in another: none is forgotten in a long run. */
export function dealer(faults: readonly Fault[], random: Random): () => Fault {
  let deck: Fault[] = [];
  return () => {
    if (deck.length === 0) deck = [...faults];
    const [dealt] = deck.splice(random.below(deck.length), 1);
    return dealt as Fault;
  };
}
