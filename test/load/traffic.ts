// The same traffic on one cluster after another, to compare engines and numbers of replicas.
import type { Cluster } from "@parley/testkit";
import { openLoop, type Percentiles } from "./open-loop.ts";
import { makePeople } from "./people.ts";
import { type ByPart, cpuMicros, difference } from "./processes.ts";
import { saturate } from "./saturate.ts";
import type { Bench, Figure, Table } from "./scenario.ts";
import { closePairs, openPairs } from "./scenarios/pairs.ts";

export interface Traffic {
  /** in flight → messages/s */
  perSecond: Map<number, number>;
  latency: Percentiles;
  missing: number;
  /** in flight → µs a message */
  cpu: Map<number, ByPart>;
}

const pairsMax = 64;

/** 1:1 on the broker itself, at saturation and at a fixed rate. */
export async function measureTraffic(
  { seconds, warmupSeconds, say }: Bench,
  cluster: Cluster,
  { inFlights, rate }: { inFlights: readonly number[]; rate: number },
): Promise<Traffic> {
  const people = await makePeople(cluster, pairsMax);
  const perSecond = new Map<number, number>();
  const cpu = new Map<number, ByPart>();
  const loop = await openPairs(cluster, people, "broker", "parley", pairsMax);
  const latency = await openLoop(loop, { rate, warmupSeconds, seconds });
  await closePairs(loop);
  for (const inFlight of inFlights) {
    const pairs = await openPairs(cluster, people, "broker", "parley", Math.min(inFlight, pairsMax));
    const sample = () => cpuMicros(cluster.run().processes);
    const found = await saturate(pairs, { inFlight, warmupSeconds, seconds, sample });
    await closePairs(pairs);
    perSecond.set(inFlight, found.perSecond);
    cpu.set(inFlight, difference(found.after, found.before, found.messages));
    say(`${inFlight} in flight: ${Math.round(found.perSecond)}/s`);
  }
  return { perSecond, latency: latency.delivery, missing: latency.missing, cpu };
}

/** `one` beside `other`, the baseline. */
export function compared(
  what: string,
  one: Traffic,
  baseline: { what: string; traffic: Traffic },
  rate: number,
): Figure[] {
  const beside = (value: number) => ({ what: baseline.what, value });
  const { traffic } = baseline;
  const rates = [...one.perSecond].map(([inFlight, value]): Figure => {
    const base = beside(traffic.perSecond.get(inFlight) ?? 0);
    return { what: `${what}, ${inFlight} in flight`, value, unit: "messages/s", baseline: base };
  });
  const latencies = (["p50", "p99"] as const).map((percentile): Figure => {
    const base = beside(traffic.latency[percentile]);
    return { what: `${what}, ${percentile} at ${rate}/s`, value: one.latency[percentile], unit: "ms", baseline: base };
  });
  return [...rates, ...latencies];
}

export function cpuTable(rows: readonly { what: string; traffic: Traffic }[]): Table {
  const all = rows.flatMap(({ what, traffic }) =>
    [...traffic.cpu].map(([inFlight, cpu]) => ({ what: `${what}, ${inFlight} in flight`, cpu, traffic })),
  );
  const parts = [...new Set(all.flatMap(({ cpu }) => Object.keys(cpu)))];
  return {
    head: ["CPU µs a message", ...parts, "missing"],
    rows: all.map(({ what, cpu, traffic }) => [what, ...parts.map((part) => cpu[part] ?? 0), traffic.missing]),
  };
}
