// 1:1 in each protocol, beside native devices: by turns in one run, through the edge, with the same number in flight.
import type { Cluster } from "@parley/testkit";
import { middleOf } from "../comparison.ts";
import { makeUsersOf, openPairsOf } from "../dialects/pairs.ts";
import { guest, type Spoken, type SpokenName, spoken } from "../dialects/speeches.ts";
import { openLoop, type Percentiles } from "../open-loop.ts";
import type { Pair } from "../pairs.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { ratio, shown } from "../report.ts";
import { pause, saturate } from "../saturate.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";

const pairsMax = 64;
const inFlight = 1_000;
const rate = 500;
/** Until routers know who has come. */
const settleSeconds = 1;
const target = 0.8;

interface Measured {
  perSecond: number;
  cpu: ByPart;
  delivery: Percentiles;
  missing: number;
}

type Rounds = Record<SpokenName, Measured>[];

export const dialects: Scenario = {
  does: "1:1 of each protocol beside native devices, by turns, through the edge",
  run(bench) {
    const env = { GUESTS: `${guest}:${guest}:${guest}`, AUTH_WEBHOOK_STRANGER_CONNECTS: "1000000" };
    return bench.withCluster({ env }, async (cluster) => sectionsOf(bench, await inTurns(bench, cluster)));
  },
};

// Who begins changes from round to round, so that a machine that slows down favours nobody.
async function inTurns(bench: Bench, cluster: Cluster): Promise<Rounds> {
  const pairs = sized(bench, pairsMax, 8);
  const names: SpokenName[] = ["native", ...bench.protocols];
  for (const name of names) await makeUsersOf(cluster, spoken[name], pairs);
  const rounds: Rounds = [];
  for (let round = 0; round < sized(bench, bench.rounds, 1); round++) {
    const found: Partial<Record<SpokenName, Measured>> = {};
    const begin = round % names.length;
    for (const name of [...names.slice(begin), ...names.slice(0, begin)])
      found[name] = await measure(bench, cluster, name, pairs);
    rounds.push(found as Record<SpokenName, Measured>);
  }
  return rounds;
}

async function measure(bench: Bench, cluster: Cluster, name: SpokenName, count: number): Promise<Measured> {
  const { seconds, warmupSeconds, quick } = bench;
  const pairs = await openPairsOf(cluster, spoken[name], count);
  try {
    await pause(settleSeconds);
    const sample = () => cpuMicros(cluster.run().processes);
    const options = { inFlight: quick ? 32 : inFlight, warmupSeconds, seconds, sample };
    const { perSecond, messages, before, after } = await saturate(pairs, options);
    const { delivery, missing } = await openLoop(pairs, { rate, warmupSeconds: 1, seconds });
    bench.say(`${name}: ${Math.round(perSecond)}/s, p50 ${delivery.p50} ms, p99 ${delivery.p99} ms at ${rate}/s`);
    return { perSecond, cpu: difference(after, before, messages), delivery, missing };
  } finally {
    await close(pairs);
  }
}

async function close(pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.map((pair) => pair.close()));
}

function sectionsOf(bench: Bench, rounds: Rounds): Section[] {
  const names: SpokenName[] = ["native", ...bench.protocols];
  const figures = bench.protocols.flatMap((name) => [rateOf(bench, rounds, name), ...latenciesOf(rounds, name)]);
  const parts = [...new Set(rounds.flatMap((round) => names.flatMap((name) => Object.keys(round[name].cpu))))];
  const cpu: Table["rows"] = names.map((name) => [
    name,
    ...parts.map((part) => middleOf(rounds.map((round) => round[name].cpu[part] ?? 0))),
    middleOf(rounds.map((round) => parts.reduce((sum, part) => sum + (round[name].cpu[part] ?? 0), 0))),
  ]);
  return [
    {
      title: "1:1 in each protocol",
      notes: [
        `Pairs of one sending and one receiving device (${sized(bench, pairsMax, 8)}), ${inFlight} messages in flight; each figure is the middle one of ${rounds.length} rounds.`,
        "A message counts when it is delivered to the other device and its sender knows that it is stored.",
        `By that the sender knows: ${names.map((name) => `${name}: ${(spoken[name] as Spoken).acknowledged.words}`).join("; ")}.`,
        `Only the pairs of one protocol are connected at a time. Latency is at ${rate}/s, from the intended moment of sending.`,
      ],
      figures,
      tables: [
        {
          head: ["messages/s by round", "least", "most", "ratio to native, each round", "missing"],
          rows: names.map((name) => spreadOf(rounds, name)),
        },
        { head: ["CPU µs a message", ...parts, "together"], rows: cpu },
      ],
    },
  ];
}

function rateOf({ quick }: Bench, rounds: Rounds, name: SpokenName): Figure {
  const value = middleOf(rounds.map((round) => round[name].perSecond));
  const native = middleOf(rounds.map((round) => round.native.perSecond));
  const isMet = middleOf(ratiosOf(rounds, name)) >= target;
  return {
    what: `${name}, ${inFlight} in flight`,
    value,
    unit: "messages/s",
    baseline: { what: "native", value: native },
    target: { text: `≥ ${target * 100} %`, met: quick ? undefined : isMet },
  };
}

function latenciesOf(rounds: Rounds, name: SpokenName): Figure[] {
  return (["p50", "p99"] as const).map((percentile) => {
    const of = (which: SpokenName) => middleOf(rounds.map((round) => round[which].delivery[percentile]));
    const baseline = { what: "native", value: of("native") };
    return { what: `${name}, ${rate}/s, ${percentile}`, value: of(name), unit: "ms", baseline };
  });
}

function spreadOf(rounds: Rounds, name: SpokenName): (string | number)[] {
  const rates = rounds.map((round) => round[name].perSecond);
  const ratios = ratiosOf(rounds, name).map((one) => ratio(one, 1));
  const missing = rounds.reduce((sum, round) => sum + round[name].missing, 0);
  return [name, shown(Math.min(...rates)), shown(Math.max(...rates)), ratios.join(", "), missing];
}

function ratiosOf(rounds: Rounds, name: SpokenName): number[] {
  return rounds.map((round) => round[name].perSecond / round.native.perSecond);
}
