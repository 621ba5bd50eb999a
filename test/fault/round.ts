// One round: a workload, what happens to the cluster while it runs, then calm, and what the checker says.
import { type Cluster, eventually } from "@parley/testkit";
import type { Blows } from "../hostile/orders.ts";
import { check, type Violation } from "./checker/check.ts";
import { logOf } from "./checker/log.ts";
import type { Period, ProgramDevice, RunRecord } from "./checker/record.ts";
import { misplaced } from "./checker/senders.ts";
import type { Fault } from "./faults/fault.ts";
import type { Random } from "./seeded.ts";
import { startWorkload, type Workload, type WorkloadOptions } from "./workload/workload.ts";

/** One injected fault and what followed. */
export interface Incident {
  fault: string;
  /** to whom exactly, if the name leaves that open */
  detail: string | undefined;
  /**
   * The longest that a message first sent since it began waited for its ack, up to when every sender was acknowledged
   * for something it sent after the end; undefined: not within a minute.
   */
  recoveryMs: number | undefined;
  brokerDied: boolean;
  skewsClocks: boolean;
  /** ms of performance.now(): from its beginning until all had recovered */
  from: number;
  to: number;
  /** why it could not be done */
  failure?: string;
}

/** What became of the messages that were first sent while a fault was under way. */
export interface Toll {
  sent: number;
  acknowledged: number;
  lost: number;
  duplicated: number;
  reordered: number;
}

export interface Round {
  incidents: readonly (Incident & Toll)[];
  violations: readonly Violation[];
  sent: number;
  /** distinct messages that got an ack */
  acknowledged: number;
  stored: number;
  /** acknowledged and not stored */
  lost: number;
  /** stored more than once */
  duplicated: number;
  /** stored behind a later one of the same device, though both were stored at first try or carry `prev` */
  reordered: number;
  /** packets that had to be refused and were */
  refused: number;
  /** different messages that receivers got live, all receivers together */
  received: number;
  /** messages that devices with the SDK showed */
  shown: number;
  /** what programs of other protocols said, the different messages that they heard, and those that came again */
  spoken: number;
  heard: number;
  again: number;
  /** users who were erased */
  erased: number;
  /** messages that disappeared, and answers that were looked at meanwhile */
  ended: number;
  glimpses: number;
  /** what a hostile user did meanwhile; undefined: there was none */
  blows: Blows | undefined;
  /** how long the messages waited for their acks that were sent while no fault was under way, ms */
  calmWaitsMs: readonly number[];
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
    const from = performance.now();
    const incidents = await during(workload);
    const calm = calmWaits(workload, incidents, from);
    const blows = options.hostile ? await workload.endHostile() : undefined;
    await cluster.waitReady();
    await workload.settle();
    const skews = incidents.filter((one) => one.skewsClocks).map(({ from, to }): Period => [from, to]);
    const record = await workload.record({ brokerDied: incidents.some(({ brokerDied }) => brokerDied), skews });
    return { ...roundOf(record, incidents), blows, calmWaitsMs: calm };
  } finally {
    await workload.close();
  }
}

/** Injects one fault and waits until every sender is acknowledged again, a minute at most. */
export async function suffer(cluster: Cluster, workload: Workload, fault: Fault, random: Random): Promise<Incident> {
  const from = performance.now();
  const about = {
    fault: fault.name,
    brokerDied: fault.breaksBroker,
    skewsClocks: fault.skewsClocks ?? false,
    from,
  };
  try {
    const detail = await fault.inject(cluster, random);
    const recovered = await untilFlowing(workload, performance.now()).catch(() => false);
    const recoveryMs = recovered ? workload.longestWaitSince(from) : undefined;
    return { ...about, detail, recoveryMs, to: performance.now() };
  } catch (error) {
    const failure = (error as Error).message;
    return { ...about, detail: undefined, recoveryMs: undefined, to: performance.now(), failure };
  }
}

function untilFlowing(workload: Workload, since: number): Promise<true> {
  return eventually(() => workload.flowsSince(since), { timeoutMs: recoveryMaxMs, intervalMs: 50 });
}

function calmWaits(workload: Workload, incidents: readonly Incident[], since: number): number[] {
  const isCalm = (at: number) => at >= since && incidents.every(({ from, to }) => at < from || at > to);
  return workload
    .answers()
    .filter(({ firstAt, at }) => isCalm(firstAt) && isCalm(at))
    .map(({ firstAt, at }) => at - firstAt);
}

function roundOf(record: RunRecord, incidents: readonly Incident[]): Omit<Round, "blows" | "calmWaitsMs"> {
  const accounts = accountsOf(record);
  const stuck = incidents.filter(({ recoveryMs }) => recoveryMs === undefined);
  const sizes = record.receivers.flatMap(({ got }) => [...got.values()].map(({ size }) => size));
  const screens = record.screens.flatMap(({ shown }) => [...shown.values()].map(({ length }) => length));
  return {
    incidents: incidents.map((one) => ({ ...one, ...tollOf(accounts, one.from, one.to) })),
    violations: [...check(record), ...stuck.map(notRecovered)],
    ...tollOf(accounts, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
    stored: accounts.filter(({ stored }) => stored > 0).length,
    refused: record.bad.length,
    received: sum(sizes),
    shown: sum(screens),
    ...spokenIn(record),
    erased: record.erasing.leavers.filter(({ erasedAt }) => erasedAt !== undefined).length,
    ended: record.vanishing.last.filter(({ ended }) => ended).length,
    glimpses: record.vanishing.glimpses.length,
  };
}

function spokenIn({ programs }: RunRecord): Pick<Round, "spoken" | "heard" | "again"> {
  const came = sum(programs.map(({ heard }) => heard.length));
  const keysOf = (one: ProgramDevice) => new Set(one.heard.map(({ conv, from, id }) => `${conv} ${from} ${id}`));
  const heard = sum(programs.map((one) => keysOf(one).size));
  return { spoken: sum(programs.map(({ sent }) => sent.length)), heard, again: came - heard };
}

function notRecovered({ fault, detail = "", failure }: Incident): Violation {
  const what = failure ? `${fault} could not be done: ${failure}` : `not within a minute after ${fault} ${detail}`;
  return { rule: "it recovers by itself", what };
}

/** What became of one message. */
interface Account {
  firstAt: number;
  acknowledged: boolean;
  /** how often */
  stored: number;
  reordered: boolean;
}

function accountsOf(record: RunRecord): Account[] {
  const keyOf = ({ conv, device, id }: { conv: string; device: string; id: string }) => `${conv} ${device} ${id}`;
  const log = logOf(record);
  const stored = new Map<string, number>();
  for (const bySeq of log.values())
    for (const copy of bySeq.values()) stored.set(keyOf(copy), (stored.get(keyOf(copy)) ?? 0) + 1);
  const acknowledged = new Set(record.acks.map(keyOf));
  const reordered = new Set([...misplaced(record, log)].map(({ one }) => one));
  return record.sent.map((one) => ({
    firstAt: one.firstAt,
    acknowledged: acknowledged.has(keyOf(one)),
    stored: stored.get(keyOf(one)) ?? 0,
    reordered: reordered.has(one),
  }));
}

function tollOf(accounts: readonly Account[], from: number, to: number): Toll {
  const own = accounts.filter(({ firstAt }) => firstAt >= from && firstAt <= to);
  return {
    sent: own.length,
    acknowledged: own.filter(({ acknowledged }) => acknowledged).length,
    lost: own.filter(({ acknowledged, stored }) => acknowledged && stored === 0).length,
    duplicated: sum(own.map(({ stored }) => Math.max(0, stored - 1))),
    reordered: own.filter(({ reordered }) => reordered).length,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
