// What partitions do as replicas become more: their spread, their moves in a rolling upgrade, and what hot conversations leave.
import { startServers } from "@parley/testkit";
import { conversationKind, ingestKind, type Kind } from "../partitions/kinds.ts";
import { openReplicas } from "../partitions/replicas.ts";
import { type Rolled, roll } from "../partitions/roll.ts";
import { busiestShare, loadsOf, zipf } from "../partitions/traffic.ts";
import { withEndings } from "../push/endings.ts";
import { type Bench, type Scenario, type Section, sized, type Table } from "../scenario.ts";

const exponents = [0, 0.8, 1, 1.2] as const;

export const partitions: Scenario = {
  does: "partitions over 2 to 64 replicas: spread, moves in a rolling upgrade, hot conversations (no load: a simulation)",
  async run(bench) {
    const sections: Section[] = [];
    for (const kind of [conversationKind, ingestKind]) sections.push(await simulate(bench, kind));
    return sections;
  },
};

interface Spread {
  count: number;
  held: readonly number[];
  /** of all traffic, for each exponent */
  busiest: readonly number[];
  rolled: Rolled;
}

async function simulate(bench: Bench, kind: Kind): Promise<Section> {
  const { keys, of, holder } = kind;
  const many = sized(bench, 1_000_000, 10_000);
  const shares = exponents.map((exponent) => zipf(many, exponent));
  const loads = loadsOf(kind, shares);
  const spreads: Spread[] = [];
  for (const count of sized(bench, [2, 3, 4, 8, 12, 16, 32, 64], [2, 4])) {
    bench.say(`${keys.length} partitions over ${count}`);
    spreads.push(await spreadOver(kind, count, loads));
  }
  return {
    title: `${keys.length} ${kind.kind} partitions`,
    notes: [
      `${many} ${of}; of the busiest few most is said: traffic of each is its rank to the power of −s (Zipf), 0 is even.`,
      `Every ${holder} holds its partitions by startLeases on a real Redis. Busiest: traffic of the busiest ${holder} by the mean of all.`,
      "Rolling upgrade: one after the other is replaced, the new one first. Moves of a partition: how often it got another holder. Needless: moves beyond those that even shares at each moment take.",
    ],
    figures: [],
    tables: [hotTable(kind, shares, loads), spreadTable(holder, spreads)],
  };
}

function spreadOver({ kind, keys }: Kind, count: number, loads: readonly ReadonlyMap<string, number>[]) {
  return withEndings(async (t): Promise<Spread> => {
    const { redis } = await startServers(t, { redis: true });
    const replicas = openReplicas(redis.url, { kind, keys });
    t.after(() => replicas.close());
    for (let started = 0; started < count; started++) await replicas.join();
    const held = replicas.living().map((replica) => new Set(replica.held()));
    const busiest = loads.map((load) => busiestShare(held, load));
    return { count, held: held.map(({ size }) => size), busiest, rolled: await roll(replicas, keys.length) };
  });
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.001 ? 4 : 2)} %`;

function hotTable({ of }: Kind, shares: readonly Float64Array[], loads: readonly ReadonlyMap<string, number>[]): Table {
  return {
    head: [`of all traffic, ${of} by rank to the power of`, ...exponents.map((exponent) => `−${exponent}`)],
    rows: [
      [`the hottest of the ${of}`, ...shares.map(([first = 0]) => percent(first))],
      ["the hottest partition", ...loads.map((load) => percent(Math.max(...load.values())))],
      ["a partition in the middle", ...loads.map((load) => percent(middle([...load.values()])))],
    ],
  };
}

function spreadTable(holder: string, spreads: readonly Spread[]): Table {
  return {
    head: [
      holder,
      "partitions of each",
      ...exponents.map((exponent) => `busiest, s = ${exponent}`),
      "moves of a partition, mean",
      "most",
      "needless, of all",
    ],
    rows: spreads.map(({ count, held, busiest, rolled }) => [
      String(count),
      [...new Set([Math.min(...held), Math.max(...held)])].join("–"),
      ...busiest.map((share) => `${(share * count).toFixed(2)} ×`),
      rolled.mean.toFixed(2),
      String(rolled.most),
      `${rolled.moves - rolled.least} of ${rolled.moves}`,
    ]),
  };
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
