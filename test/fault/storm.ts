// Faults one after the other, drawn from the seed, while a workload runs.
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "@parley/testkit";
import { both, type Fault } from "./faults.ts";
import { type Incident, suffer } from "./round.ts";
import type { Random } from "./seeded.ts";
import type { Workload } from "./workload/workload.ts";

export interface StormOptions {
  random: Random;
  /** these come first, in order */
  first?: readonly Fault[];
  /** then one of these after the other, sometimes two at once */
  faults?: readonly Fault[];
  forMs?: number;
  say?: (line: string) => void;
  signal?: AbortSignal;
}

const breathMaxMs = 3_000;
const twiceChance = 0.15;

/** For `runRound`: waits after each fault until the cluster has recovered, then for a moment. */
export function storm(cluster: Cluster, options: StormOptions): (workload: Workload) => Promise<Incident[]> {
  const { random, first = [], faults = [], forMs = 0, say = () => {}, signal } = options;
  return async (workload) => {
    const until = performance.now() + forMs;
    const incidents: Incident[] = [];
    const pending = [...first];
    while ((pending.length > 0 || performance.now() < until) && !signal?.aborted) {
      const fault = pending.shift() ?? draw(faults, random);
      const incident = await suffer(cluster, workload, fault, random);
      incidents.push(incident);
      say(`${incident.fault}: ${describe(incident)}`);
      if (pending.length === 0) await sleep(random.below(Math.min(breathMaxMs, forMs)));
    }
    return incidents;
  };
}

function describe({ recoveryMs }: Incident): string {
  return recoveryMs === undefined ? "not recovered within a minute" : `recovered in ${Math.round(recoveryMs)} ms`;
}

function draw(faults: readonly Fault[], random: Random): Fault {
  const one = random.pick(faults);
  return random.chance(twiceChance) ? both(one, random.pick(faults)) : one;
}
