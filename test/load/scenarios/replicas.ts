// Two of a service against one of it, each replica on a core of its own: by turns on two clusters, of which one has something to do.
import type { Cluster, ClusterOptions } from "@parley/testkit";
import { middleOf } from "../comparison.ts";
import { noMongo, warningOf, withMongo } from "../mongo.ts";
import { canPin, pinReplicas } from "../pin.ts";
import { ratio } from "../report.ts";
import { type Bench, type Figure, type Scenario, type Section, sized } from "../scenario.ts";
import { cpuTable, measureTraffic, type Traffic } from "../traffic.ts";

const latencyRate = 200;
/** how much more a message may cost */
const boundPercent = 15;
const sides = ["one", "two"] as const;

type Side = (typeof sides)[number];
type Round = Record<Side, Traffic>;

export const replicas: Scenario = {
  does: "two routers against one, every replica pinned to a core, by turns",
  run: async (bench) => [await measureReplicas(bench, { what: "two routers", two: { router: 2 }, options: [{}, {}] })],
};

export const replicasMongo: Scenario = {
  does: "two routers and two histories on MongoDB against one of each, pinned and by turns",
  async run(bench) {
    const found = await withMongo((one) =>
      withMongo((two) =>
        measureReplicas(bench, {
          what: "two routers and two histories, on MongoDB",
          two: { router: 2, history: 2 },
          options: [{ storeUrl: one.url }, { storeUrl: two.url }],
          note: warningOf(one.kind),
        }),
      ),
    );
    return [found ?? { title: "Replicas on MongoDB", notes: [noMongo], figures: [] }];
  },
};

interface Compared {
  what: string;
  /** what there is two of */
  two: NonNullable<ClusterOptions["replicas"]>;
  /** of the cluster with one of each, and of the one with two */
  options: readonly [Partial<ClusterOptions>, Partial<ClusterOptions>];
  note?: string;
}

function measureReplicas(bench: Bench, compared: Compared): Promise<Section> {
  const { two, options } = compared;
  return bench.withCluster(options[0], (one) =>
    bench.withCluster({ ...options[1], replicas: two }, async (other) => {
      const clusters = { one, two: other };
      if (canPin()) for (const side of sides) pinReplicas(clusters[side], Object.keys(two));
      const rounds: Round[] = [];
      // The first is not counted: new processes still compile what they run, and two do so twice.
      if (!bench.quick) await measureRound(bench, clusters, 0);
      for (let round = 0; round < sized(bench, bench.rounds, 1); round++)
        rounds.push(await measureRound(bench, clusters, round));
      return sectionOf(bench, compared, rounds);
    }),
  );
}

// Who begins changes from round to round, so that a machine that slows down favours nobody.
async function measureRound(bench: Bench, clusters: Record<Side, Cluster>, round: number): Promise<Round> {
  const load = { inFlights: sized(bench, [32, 320], [32]), rate: latencyRate };
  const found: Partial<Round> = {};
  for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
    bench.say(`${side} of each`);
    found[side] = await measureTraffic(bench, clusters[side], load);
  }
  return found as Round;
}

function sectionOf(bench: Bench, { what, note }: Compared, rounds: readonly Round[]): Section {
  const notes = [
    "64 pairs on the broker itself; two clusters, of which one at a time has something to do. Each figure is the middle of the rounds, the ratio with the target that of the rounds' ratios.",
    canPin()
      ? "Replica n runs on core n, a lone one on the first; all else, the load generator too, wherever the system puts it. The rate shows what a second core gives only where one of each does not fill all cores already; the cost a message shows what being two costs."
      : "There is no taskset or no second core here: nothing is pinned.",
    ...(note ? [note] : []),
  ];
  const inFlights = [...(rounds[0]?.one.perSecond.keys() ?? [])];
  const figures = [
    ...inFlights.map((inFlight) => costOf(bench, rounds, inFlight)),
    ...inFlights.map((inFlight) =>
      figureOf(rounds, `${inFlight} in flight`, "messages/s", ({ perSecond }) => perSecond.get(inFlight) ?? 0),
    ),
    ...(["p50", "p99"] as const).map((percentile) =>
      figureOf(rounds, `${percentile} at ${latencyRate}/s`, "ms", ({ latency }) => latency[percentile]),
    ),
  ];
  const rows = sides.flatMap((side) =>
    rounds.map((round, index) => ({ what: `${side} of each, round ${index + 1}`, traffic: round[side] })),
  );
  return { title: `Replicas: ${what} against one of each`, notes, figures, tables: [cpuTable(rows)] };
}

function costOf(bench: Bench, rounds: readonly Round[], inFlight: number): Figure {
  const read = ({ cpu }: Traffic) => {
    const { generator: _, ...ours } = cpu.get(inFlight) ?? {};
    return Object.values(ours).reduce((sum, micros) => sum + micros, 0);
  };
  const grown = middleOf(rounds.map(({ one, two }) => read(two) / read(one)));
  const met = bench.quick ? undefined : grown <= 1 + boundPercent / 100;
  return {
    ...figureOf(rounds, `CPU a message but the generator's, ${inFlight} in flight`, "µs", read),
    target: { text: `≤ ${100 + boundPercent} % (${ratio(grown, 1)})`, met },
  };
}

function figureOf(rounds: readonly Round[], what: string, unit: string, read: (traffic: Traffic) => number): Figure {
  const middle = (side: Side) => middleOf(rounds.map((round) => read(round[side])));
  return { what, value: middle("two"), unit, baseline: { what: "one of each", value: middle("one") } };
}
