// What chat loses by push, which follows every message: by turns with a cluster that has none.
import { middleOf } from "../comparison.ts";
import { type Chat, type Crowd, chatInTurns, crowds, type Round, rate } from "../push/chat.ts";
import { ratio } from "../report.ts";
import type { Bench, Figure, Scenario, Section } from "../scenario.ts";

const leastOfRate = 0.95;
const sides = ["with", "without"] as const;

export const pushChat: Scenario = {
  does: "chat with push and without it, by turns: all receivers connected, and a third of them away",
  run: async (bench) => [sectionOf(bench, await chatInTurns(bench))],
};

function sectionOf(bench: Bench, rounds: readonly Round[]): Section {
  const first = rounds[0]?.["all connected"].with.cpu ?? {};
  const parts = Object.keys(first);
  const all = crowds.flatMap((crowd) => sides.map((side) => [crowd, side] as const));
  return {
    title: "Push: chat with it and without it",
    notes: [
      "1:1 pairs through the edge, 1,000 messages in flight, every receiver with a token; two clusters, one of them without push, of which one at a time has something to do.",
      "A message to a receiver who is away counts when it is acknowledged. PUSH_DELAY_MS is its default, so most of what push does for a message falls two seconds later.",
      `Each figure is the middle of ${rounds.length} rounds, the ratio with the target that of the rounds' ratios.`,
    ],
    figures: crowds.flatMap((crowd) => [rateOf(bench, rounds, crowd), ...latenciesOf(rounds, crowd)]),
    tables: [
      {
        head: ["messages/s with push, of without", "each round", "missing", "notifications"],
        rows: crowds.map((crowd) => [
          crowd,
          ratiosOf(rounds, crowd)
            .map((one) => ratio(one, 1))
            .join(", "),
          sumOf(rounds, crowd, "missing"),
          sumOf(rounds, crowd, "notifications"),
        ]),
      },
      {
        head: ["CPU µs a message", ...parts],
        rows: all.map(([crowd, side]) => [
          `${crowd}, ${side}`,
          ...parts.map((part) => middle(rounds, crowd, side, ({ cpu }) => cpu[part] ?? 0)),
        ]),
      },
    ],
  };
}

function rateOf({ quick }: Bench, rounds: readonly Round[], crowd: Crowd): Figure {
  const of = (side: "with" | "without") => middle(rounds, crowd, side, ({ perSecond }) => perSecond);
  const kept = middleOf(ratiosOf(rounds, crowd));
  const met = quick ? undefined : kept >= leastOfRate;
  return {
    what: `${crowd}, messages/s`,
    value: of("with"),
    unit: "/s",
    baseline: { what: "without push", value: of("without") },
    target: { text: `≥ ${leastOfRate * 100} % (${ratio(kept, 1)})`, met },
  };
}

function latenciesOf(rounds: readonly Round[], crowd: Crowd): Figure[] {
  return (["p50", "p99"] as const).map((percentile) => {
    const of = (side: "with" | "without") => middle(rounds, crowd, side, ({ delivery }) => delivery[percentile]);
    const baseline = { what: "without push", value: of("without") };
    return { what: `${crowd}, at ${rate}/s, ${percentile}`, value: of("with"), unit: "ms", baseline };
  });
}

function ratiosOf(rounds: readonly Round[], crowd: Crowd): number[] {
  return rounds.map((round) => round[crowd].with.perSecond / round[crowd].without.perSecond);
}

function middle(
  rounds: readonly Round[],
  crowd: Crowd,
  side: "with" | "without",
  read: (chat: Chat) => number,
): number {
  return middleOf(rounds.map((round) => read(round[crowd][side])));
}

function sumOf(rounds: readonly Round[], crowd: Crowd, of: "missing" | "notifications"): number {
  return rounds.reduce((sum, round) => sum + round[crowd].with[of], 0);
}
