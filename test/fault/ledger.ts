// The account of a long run: each fault with what it cost, and the sums that must be zero.
import type { Round } from "./round.ts";

export interface FaultRow {
  fault: string;
  injected: number;
  notRecovered: number;
  recoveryP50Ms: number;
  recoveryMaxMs: number;
}

export interface Ledger {
  seed: number;
  seconds: number;
  rounds: number;
  faults: FaultRow[];
  sent: number;
  acknowledged: number;
  stored: number;
  lost: number;
  duplicated: number;
  refused: number;
  received: number;
  violations: { round: number; rule: string; what: string }[];
}

export function ledgerOf(seed: number, seconds: number, rounds: readonly Round[]): Ledger {
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  const incidents = rounds.flatMap((round) => round.incidents);
  // Two at once are one row: there are too many pairs.
  const byFault = Map.groupBy(incidents, ({ fault }) => (fault.includes(" and ") ? "two at once" : fault));
  const faults = [...byFault].map(([fault, all]): FaultRow => {
    const times = all.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
    const [recoveryP50Ms, recoveryMaxMs] = [times[(times.length - 1) >> 1] ?? 0, times.at(-1) ?? 0].map(Math.round);
    const counts = { injected: all.length, notRecovered: all.length - times.length };
    return { fault, ...counts, recoveryP50Ms: recoveryP50Ms ?? 0, recoveryMaxMs: recoveryMaxMs ?? 0 };
  });
  return {
    seed,
    seconds: Math.round(seconds),
    rounds: rounds.length,
    faults: faults.sort((a, b) => (a.fault < b.fault ? -1 : 1)),
    sent: sum(({ sent }) => sent),
    acknowledged: sum(({ acknowledged }) => acknowledged),
    stored: sum(({ stored }) => stored),
    lost: sum(({ lost }) => lost),
    duplicated: sum(({ duplicated }) => duplicated),
    refused: sum(({ refused }) => refused),
    received: sum(({ received }) => received),
    violations: rounds.flatMap(({ violations }, index) => violations.map((one) => ({ round: index + 1, ...one }))),
  };
}

/** As Markdown. */
export function textOf(ledger: Ledger): string {
  const { faults, violations } = ledger;
  const rows = faults.map((row) => [row.fault, row.injected, row.recoveryP50Ms, row.recoveryMaxMs, row.notRecovered]);
  const sums = [["sent", "acknowledged", "stored", "lost", "duplicated", "bad packets refused", "received live"]];
  const { sent, acknowledged, stored, lost, duplicated, refused, received } = ledger;
  return [
    `Seed ${ledger.seed}, ${ledger.rounds} rounds in ${ledger.seconds} s.`,
    table(["fault", "injected", "recovery p50, ms", "max, ms", "not recovered"], rows),
    table(sums[0] ?? [], [[sent, acknowledged, stored, lost, duplicated, refused, received]]),
    violations.length === 0 ? "Violations: none." : "Violations:",
    ...violations.map(({ round, rule, what }) => `- round ${round}: ${rule}: ${what}`),
  ].join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
