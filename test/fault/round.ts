// One round: a workload, what happens to the cluster while it runs, then calm, and what the checker says.
import { type Cluster, eventually } from "@parley/testkit";
import { check, type Violation } from "./checker/check.ts";
import type { RunRecord } from "./checker/record.ts";
import type { Fault } from "./faults.ts";
import type { Random } from "./seeded.ts";
import { startWorkload, type Workload, type WorkloadOptions } from "./workload/workload.ts";

/** One injected fault and what followed. */
export interface Incident {
  fault: string;
  /** ms from its start until every sender was acknowledged for something new; undefined: not within a minute */
  recoveryMs: number | undefined;
  brokerDied: boolean;
}

export interface Round {
  incidents: readonly Incident[];
  violations: readonly Violation[];
  sent: number;
  /** distinct messages that got an ack */
  acknowledged: number;
  stored: number;
  /** acknowledged and not stored */
  lost: number;
  /** stored more than once */
  duplicated: number;
  /** packets that had to be refused and were */
  refused: number;
  /** different messages that receivers got live, all receivers together */
  received: number;
}

const recoveryMaxMs = 60_000;

/** Lets `during` do its worst once every sender is being acknowledged. */
export async function runRound(
  cluster: Cluster,
  options: WorkloadOptions,
  during: (workload: Workload) => Promise<readonly Incident[]>,
): Promise<Round> {
  const workload = await startWorkload(cluster, options);
  try {
    await untilFlowing(workload, performance.now());
    const incidents = await during(workload);
    await cluster.waitReady();
    await workload.settle();
    const record = await workload.record({ brokerDied: incidents.some(({ brokerDied }) => brokerDied) });
    return roundOf(record, incidents);
  } finally {
    await workload.close();
  }
}

/** Injects one fault and waits until every sender is acknowledged again, a minute at most. */
export async function suffer(cluster: Cluster, workload: Workload, fault: Fault, random: Random): Promise<Incident> {
  const since = performance.now();
  await fault.inject(cluster, random);
  const recoveryMs = await untilFlowing(workload, since).catch(() => undefined);
  return { fault: fault.name, recoveryMs, brokerDied: fault.breaksBroker };
}

function untilFlowing(workload: Workload, since: number): Promise<number> {
  return eventually(() => workload.recoveredAfter(since), { timeoutMs: recoveryMaxMs, intervalMs: 50 });
}

function roundOf(record: RunRecord, incidents: readonly Incident[]): Round {
  const stuck = incidents.filter(({ recoveryMs }) => recoveryMs === undefined);
  const keyOf = ({ conv, device, id }: { conv: string; device: string; id: string }) => `${conv} ${device} ${id}`;
  const places = new Set<string>();
  const stored = new Set<string>();
  for (const { views } of record.readers)
    for (const { messages } of views.values())
      for (const copy of messages) {
        if (copy.type === "event") continue;
        places.add(`${copy.conv} ${copy.seq}`);
        stored.add(keyOf(copy));
      }
  const acknowledged = new Set(record.acks.map(keyOf));
  const received = record.receivers.flatMap(({ got }) => [...got.values()].map(({ size }) => size));
  return {
    incidents,
    violations: [
      ...check(record),
      ...stuck.map(({ fault }) => ({ rule: "it recovers by itself", what: `not within a minute after ${fault}` })),
    ],
    sent: record.sent.length,
    acknowledged: acknowledged.size,
    stored: stored.size,
    lost: [...acknowledged].filter((key) => !stored.has(key)).length,
    duplicated: places.size - stored.size,
    refused: record.bad.length,
    received: received.reduce((sum, size) => sum + size, 0),
  };
}
