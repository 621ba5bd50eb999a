// What a message from one to another costs each process: CPU, bytes through its sockets and files, and room in the store.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "@parley/testkit";
import { openLoop } from "../open-loop.ts";
import type { Pair } from "../pairs.ts";
import { makePeople } from "../people.ts";
import { type ByPart, bytesMoved, cpuMicros, difference } from "../processes.ts";
import { saturate } from "../saturate.ts";
import { type Bench, type Scenario, type Section, sized } from "../scenario.ts";
import { closePairs, openPairs } from "./pairs.ts";

const pairsMax = 64;
const rate = 2_000;

export const cost: Scenario = {
  does: "what a 1:1 message costs each process: CPU and bytes, at saturation and at a fixed rate, and bytes in the store",
  run: async (bench) => [await bench.withCluster({}, (cluster) => measure(bench, cluster))],
};

interface Used {
  cpu: ByPart;
  read: ByPart;
  written: ByPart;
  /** bytes in history's files, and in JetStream's */
  log: number;
  references: number;
}

/** a message */
interface Cost extends Used {
  what: string;
}

interface Measured {
  before: Used;
  after: Used;
  messages: number;
}

async function measure(bench: Bench, cluster: Cluster): Promise<Section> {
  const people = await makePeople(cluster, pairsMax);
  const inFlight = sized(bench, 1_000, 32);
  const measured = async (work: (pairs: Pair[]) => Promise<Measured>) => {
    const pairs = await openPairs(cluster, people, "edge", "parley", pairsMax);
    const found = await work(pairs);
    await closePairs(pairs);
    return found;
  };
  const { warmupSeconds, seconds } = bench;
  const sample = () => usedBy(cluster);
  const saturated = await measured((pairs) => saturate(pairs, { inFlight, warmupSeconds, seconds, sample }));
  const steady = await measured(async (pairs) => {
    await openLoop(pairs, { rate, warmupSeconds, seconds: 1 });
    const before = sample();
    await openLoop(pairs, { rate, warmupSeconds: 0, seconds });
    return { before, after: sample(), messages: rate * seconds };
  });
  return sectionOf([costOf(`${inFlight} in flight`, saturated), costOf(`${rate}/s`, steady)]);
}

function usedBy(cluster: Cluster): Used {
  const { processes } = cluster.run();
  const [log, references] = ["data/history", "nats-server"].map((folder) => bytesIn(join(cluster.dir, folder)));
  return { cpu: cpuMicros(processes), ...bytesMoved(processes), log: log ?? 0, references: references ?? 0 };
}

function costOf(what: string, { before, after, messages }: Measured): Cost {
  return {
    what,
    cpu: difference(after.cpu, before.cpu, messages),
    read: difference(after.read, before.read, messages),
    written: difference(after.written, before.written, messages),
    log: (after.log - before.log) / messages,
    references: (after.references - before.references) / messages,
  };
}

function sectionOf(costs: readonly Cost[]): Section {
  const parts = Object.keys(costs[0]?.cpu ?? {});
  const filled = (cost: Cost): ByPart => ({ history: cost.log, "nats-server": cost.references });
  const rows = (unit: string, read: (cost: Cost) => ByPart) =>
    costs.map((cost) => [`${unit}, ${cost.what}`, ...parts.map((part) => read(cost)[part] ?? 0)]);
  return {
    title: "What a 1:1 message costs",
    notes: [
      "64 pairs through the edge. Bytes are all that a process reads and writes: sockets, which count on both sides, and files.",
      "Files: what history's grow by, the write-ahead log included, and JetStream's.",
    ],
    figures: [],
    tables: [
      {
        head: ["a message", ...parts],
        rows: [
          ...rows("CPU µs", ({ cpu }) => cpu),
          ...rows("bytes read", ({ read }) => read),
          ...rows("bytes written", ({ written }) => written),
          ...rows("bytes of files", filled),
        ],
      },
    ],
  };
}

function bytesIn(folder: string): number {
  const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return all.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
