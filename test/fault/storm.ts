// One round: a workload, faults drawn from the seed while it runs, then calm, and what the checker says.
import { setTimeout as sleep } from "node:timers/promises";
import { type Cluster, eventually } from "@parley/testkit";
import { check, type Violation } from "./checker/check.ts";
import { both, type Fault } from "./faults.ts";
import type { Random } from "./seeded.ts";
import { startWorkload, type Workload, type WorkloadOptions } from "./workload/workload.ts";

/** One injected fault and what followed. */
export interface Incident {
  fault: string;
  /** ms from its start until every sender was acknowledged for something new; undefined: not within a minute */
  recoveryMs: number | undefined;
}

export interface Round {
  incidents: Incident[];
  violations: Violation[];
  sent: number;
  acknowledged: number;
  stored: number;
  bad: number;
  /** copies that receivers got live */
  received: number;
}

export interface RoundOptions extends WorkloadOptions {
  faults: readonly Fault[];
  /** new faults are injected this long; at least each of `first` */
  forMs: number;
  /** faults that come first, in order, whatever the seed */
  first?: readonly Fault[];
  say?: (line: string) => void;
  signal?: AbortSignal;
}

const recoveryMaxMs = 60_000;
const breathMaxMs = 3_000;
const twiceChance = 0.15;

export async function runRound(cluster: Cluster, options: RoundOptions): Promise<Round> {
  const { faults, forMs, first = [], random, say = () => {}, signal } = options;
  const workload = await startWorkload(cluster, options);
  try {
    const until = performance.now() + forMs;
    const incidents: Incident[] = [];
    let brokerDied = false;
    const pending = [...first];
    await flowing(workload);
    while ((pending.length > 0 || performance.now() < until) && !signal?.aborted) {
      const fault = pending.shift() ?? draw(faults, random);
      brokerDied ||= fault.breaksBroker;
      const incident = await suffer(cluster, workload, fault, random);
      incidents.push(incident);
      say(
        `${fault.name}: ${incident.recoveryMs === undefined ? "NOT RECOVERED" : `recovered in ${Math.round(incident.recoveryMs)} ms`}`,
      );
      await sleep(random.below(breathMaxMs));
    }
    return { incidents, ...(await conclude(cluster, workload, incidents, brokerDied)) };
  } finally {
    await workload.close();
  }
}

function draw(faults: readonly Fault[], random: Random): Fault {
  const one = random.pick(faults);
  return random.chance(twiceChance) ? both(one, random.pick(faults)) : one;
}

async function flowing(workload: Workload): Promise<void> {
  const since = performance.now();
  await eventually(() => workload.recoveredAfter(since) !== undefined, { timeoutMs: recoveryMaxMs, intervalMs: 50 });
}

async function suffer(cluster: Cluster, workload: Workload, fault: Fault, random: Random): Promise<Incident> {
  const since = performance.now();
  await fault.inject(cluster, random);
  const recovered = () => workload.recoveredAfter(since);
  const recoveryMs = await eventually(recovered, { timeoutMs: recoveryMaxMs, intervalMs: 50 }).catch(() => undefined);
  return { fault: fault.name, recoveryMs };
}

async function conclude(cluster: Cluster, workload: Workload, incidents: readonly Incident[], brokerDied: boolean) {
  await cluster.waitReady();
  await workload.settle();
  const record = await workload.record({ brokerDied });
  const stuck = incidents.filter(({ recoveryMs }) => recoveryMs === undefined);
  const violations = [
    ...check(record),
    ...stuck.map(({ fault }) => ({ rule: "it recovers by itself", what: `not within a minute after ${fault}` })),
  ];
  const stored = new Map<string, number>();
  for (const { views } of record.readers)
    for (const [conv, { messages }] of views)
      stored.set(conv, Math.max(stored.get(conv) ?? 0, messages.filter(({ type }) => type !== "event").length));
  return {
    violations,
    sent: record.sent.length,
    acknowledged: workload.acknowledged(),
    stored: [...stored.values()].reduce((sum, count) => sum + count, 0),
    bad: record.bad.length,
    received: record.receivers.reduce(
      (sum, { got }) => sum + [...got.values()].reduce((all, { size }) => all + size, 0),
      0,
    ),
  };
}
