// Does a message cost more in a large store? 1,000,000 messages over 10,000 conversations, or as many as are asked for, against 1,000.
import type { Cluster } from "@parley/testkit";
import { fillLog, openHistory } from "../fill.ts";
import { type Grid, openGrid, talksOfGrid } from "../grid.ts";
import { openLoop, type Percentiles } from "../open-loop.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { pause, saturate } from "../saturate.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";

const inFlight = 320;
const rate = 1_000;
const mostCpu = 1.05;
const leastRate = 0.95;
// Filled past the services, the store has no member documents: history makes them as it starts, and puts them soon after.
const foldSeconds = 15;
const small: Grid = { senders: 100, receivers: 10 };
const smallMessages = 1_000;

export const size: Scenario = {
  does: "the cost of a message with 1,000,000 stored over 10,000 conversations, against 1,000 stored",
  run: async (bench) => [await measureSize(bench)],
};

interface Cost {
  perSecond: number;
  cpu: ByPart;
  /** of the services and servers, µs a message */
  cpuMicros: number;
  latency: Percentiles;
  startSeconds: number;
}

async function measureSize(bench: Bench): Promise<Section> {
  const { messages: largeMessages, conversations } = bench.stored;
  const large: Grid = { senders: small.senders, receivers: conversations / small.senders };
  const before = await measureStore(bench, small, smallMessages);
  const after = await measureStore(bench, large, largeMessages);
  const baseline = (value: number) => ({ what: `${smallMessages} stored`, value });
  const target = (text: string, isMet: boolean) => ({ text, met: bench.quick ? undefined : isMet });
  const figures: Figure[] = [
    {
      what: "CPU a message",
      value: after.cpuMicros,
      unit: "µs",
      baseline: baseline(before.cpuMicros),
      target: target("≤ 105 %", after.cpuMicros <= mostCpu * before.cpuMicros),
    },
    {
      what: `messages/s, ${inFlight} in flight`,
      value: after.perSecond,
      unit: "/s",
      baseline: baseline(before.perSecond),
      target: target("≥ 95 %", after.perSecond >= leastRate * before.perSecond),
    },
    { what: `delivery p50 at ${rate}/s`, value: after.latency.p50, unit: "ms", baseline: baseline(before.latency.p50) },
    { what: `delivery p99 at ${rate}/s`, value: after.latency.p99, unit: "ms", baseline: baseline(before.latency.p99) },
  ];
  const parts = Object.keys(after.cpu);
  const row = (what: string, { cpu, startSeconds }: Cost): Table["rows"][number] => [
    what,
    ...parts.map((part) => cpu[part] ?? 0),
    startSeconds,
  ];
  return {
    title: `A store of ${largeMessages} messages`,
    notes: [
      `Traffic goes round all conversations of the store: ${small.senders * small.receivers} with one message each against ${conversations} with ${Math.ceil(largeMessages / conversations)} each.`,
      "The store is filled past the services, in the order of time, before the cluster starts. CPU is of all services and servers, the load generator left out.",
    ],
    figures,
    tables: [
      {
        head: ["CPU µs a message", ...parts, "start of the cluster s"],
        rows: [row(`${smallMessages} stored`, before), row(`${largeMessages} stored`, after)],
      },
    ],
  };
}

async function measureStore(bench: Bench, grid: Grid, messages: number): Promise<Cost> {
  let filledAt = 0;
  const fill = async (storeUrl: string) => {
    const store = await openHistory(storeUrl);
    const begun = performance.now();
    const written = await fillLog(store.log(), talksOfGrid(grid, messages));
    await store.close();
    filledAt = performance.now();
    bench.say(`${written} messages stored in ${Math.round((filledAt - begun) / 1_000)} s`);
  };
  return bench.withCluster({ fill }, async (cluster) => {
    const startSeconds = (performance.now() - filledAt) / 1_000;
    const cost = await measureTraffic(bench, cluster, grid);
    bench.say(`${messages} stored: ${Math.round(cost.perSecond)}/s, ${Math.round(cost.cpuMicros)} µs of CPU a message`);
    return { ...cost, startSeconds };
  });
}

async function measureTraffic(bench: Bench, cluster: Cluster, grid: Grid): Promise<Omit<Cost, "startSeconds">> {
  const { seconds, warmupSeconds } = bench;
  const pairs = await openGrid(cluster, grid);
  await pause(sized(bench, foldSeconds, 1));
  const latency = await openLoop(pairs, { rate, warmupSeconds, seconds });
  const sample = () => cpuMicros(cluster.run().processes);
  const found = await saturate(pairs, { inFlight, warmupSeconds, seconds, sample });
  await Promise.all(pairs.map((pair) => pair.close()));
  const { generator: _, ...cpu } = difference(found.after, found.before, found.messages);
  const cpuSum = Object.values(cpu).reduce((sum, micros) => sum + micros, 0);
  return { perSecond: found.perSecond, cpu, cpuMicros: cpuSum, latency: latency.delivery };
}
