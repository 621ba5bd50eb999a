// 1:1, pairs of one sending and one receiving device: how many messages a second, and how long one takes.
import type { Cluster } from "@parley/testkit";
import { type Latency, openLoop } from "../open-loop.ts";
import { type Mode, openPair, type Pair } from "../pairs.ts";
import { makePeople, type People } from "../people.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { saturate } from "../saturate.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";

type Way = Bench["ways"][number];

const pairsMax = 64;
const rates = [2_000, 4_000];
const latencyWarmupSeconds = 5;
const wayNames: Record<Way, string> = { broker: "on the broker itself", edge: "through the edge" };
const targets = { rate: 2_000, p50: 3, p99: 15 };

export const pairs: Scenario = {
  does: "1:1 messages a second at saturation, and latency at fixed rates, against the raw broker",
  async run(bench) {
    const cluster = await bench.shared();
    const people = await makePeople(cluster, pairsMax);
    return [await measureRates(bench, cluster, people), await measureLatencies(bench, cluster, people)];
  },
};

async function measureRates(bench: Bench, cluster: Cluster, people: People): Promise<Section> {
  const figures: Figure[] = [];
  const cpu: { what: string; cpu: ByPart }[] = [];
  const inFlights = sized(bench, bench.inFlight, bench.inFlight.slice(0, 2));
  for (const way of bench.ways) {
    for (const inFlight of inFlights) {
      const what = `${wayNames[way]}, ${inFlight} in flight`;
      const raw = await saturatePairs(bench, cluster, people, { mode: "raw", way, inFlight });
      const parley = await saturatePairs(bench, cluster, people, { mode: "parley", way, inFlight });
      bench.say(`${what}: ${Math.round(parley.perSecond)}/s (raw ${Math.round(raw.perSecond)}/s)`);
      const baseline = { what: "raw broker", value: raw.perSecond };
      figures.push({ what, value: parley.perSecond, unit: "messages/s", baseline });
      cpu.push({ what, cpu: parley.cpu });
    }
  }
  const parts = [...new Set(cpu.flatMap((one) => Object.keys(one.cpu)))];
  return {
    title: "1:1, at saturation",
    notes: [
      "A message counts when it is acknowledged (on disk) and delivered; on the raw broker when its PUBLISH to the receiver's topic is PUBACKed and delivered.",
      "Parley's message crosses the broker twice, goes to both users' topics, and is committed with an fsync in between.",
      "On the broker itself no hook is asked; the raw broker's figure is always that.",
    ],
    figures,
    tables: [
      {
        head: ["CPU µs a message", ...parts],
        rows: cpu.map((row) => [row.what, ...parts.map((part) => row.cpu[part] ?? 0)]),
      },
    ],
  };
}

async function saturatePairs(
  { seconds, warmupSeconds }: Bench,
  cluster: Cluster,
  people: People,
  { mode, way, inFlight }: { mode: Mode; way: Way; inFlight: number },
): Promise<{ perSecond: number; cpu: ByPart }> {
  const open = await openPairs(cluster, people, way, mode, Math.min(inFlight, pairsMax));
  const sample = () => cpuMicros(cluster.run().processes);
  const { perSecond, messages, before, after } = await saturate(open, { inFlight, warmupSeconds, seconds, sample });
  await closePairs(open);
  return { perSecond, cpu: difference(after, before, messages) };
}

async function measureLatencies(bench: Bench, cluster: Cluster, people: People): Promise<Section> {
  const figures: Figure[] = [];
  const rows: Table["rows"][number][] = [];
  for (const way of bench.ways) {
    for (const rate of rates) {
      const what = `${wayNames[way]}, ${rate}/s`;
      const raw = await latencyOf(bench, cluster, people, { mode: "raw", way, rate });
      const parley = await latencyOf(bench, cluster, people, { mode: "parley", way, rate });
      bench.say(
        `${what}: p50 ${parley.delivery.p50} ms, p99 ${parley.delivery.p99} ms (raw ${raw.delivery.p50}, ${raw.delivery.p99})`,
      );
      for (const percentile of ["p50", "p99"] as const) {
        const value = parley.delivery[percentile];
        const limit = targets[percentile];
        const targeted = way === "broker" && rate === targets.rate;
        figures.push({
          what: `${what}, ${percentile}`,
          value,
          unit: "ms",
          baseline: { what: "raw broker", value: raw.delivery[percentile] },
          ...(targeted ? { target: { text: `≤ ${limit} ms`, met: bench.quick ? undefined : value <= limit } } : {}),
        });
      }
      rows.push([what, parley.ack.p50, parley.ack.p99, parley.delivery.p999, parley.sentPerSecond, parley.missing]);
    }
  }
  return {
    title: "1:1, open loop",
    notes: ["Messages are sent at a fixed rate whatever happens; delivery counts from the intended moment of sending."],
    figures,
    tables: [{ head: ["", "ack p50 ms", "ack p99 ms", "delivery p99.9 ms", "sent/s", "missing"], rows }],
  };
}

async function latencyOf(
  { seconds, quick }: Bench,
  cluster: Cluster,
  people: People,
  { mode, way, rate }: { mode: Mode; way: Way; rate: number },
): Promise<Latency> {
  const open = await openPairs(cluster, people, way, mode, pairsMax);
  const latency = await openLoop(open, { rate, warmupSeconds: quick ? 1 : latencyWarmupSeconds, seconds });
  await closePairs(open);
  return latency;
}

/** Pairs connected to the cluster, on the broker's own port or through the edge. */
export function openPairs(cluster: Cluster, people: People, way: Way, mode: Mode, count: number): Promise<Pair[]> {
  const { host, port } = cluster.run().mqtt;
  // Raw is always the broker's own port: no hook would let a device publish to another's topic.
  const atBroker = way === "broker" || mode === "raw";
  const url = atBroker ? cluster.wiring.urls.broker : `mqtt://${host}:${port}`;
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      openPair({ mode, url, index, ...(atBroker ? people.atBroker(index) : people.throughEdge(index)) }),
    ),
  );
}

export async function closePairs(open: readonly Pair[]): Promise<void> {
  await Promise.all(open.map((pair) => pair.close()));
}
