// The account of a long run: each fault with what it cost, and the sums that must be zero.
import { type Blows, noBlows } from "../hostile/orders.ts";
import type { Incident, Round, Toll } from "./round.ts";

/** Where and how a run was made. */
export interface Setting {
  seed: number;
  commit: string;
  machine: string;
  store: string;
  replicas: string;
  perSecond: number;
  startedAt: string;
  /** the command that draws the same */
  replay: string;
  /** what could not be done on this machine */
  leftOut: readonly string[];
}

export interface FaultRow extends Toll {
  fault: string;
  injected: number;
  notRecovered: number;
  recoveryP50Ms: number;
  recoveryMaxMs: number;
}

/** What a hostile user did, and what the honest ones felt of it while no fault was under way. */
export interface Hostility {
  rounds: number;
  blows: Blows;
  /** acks in the rounds without and with the hostile user, ms */
  without: Waits;
  with: Waits;
}

interface Waits {
  messages: number;
  p50Ms: number;
  p99Ms: number;
}

export interface Ledger extends Setting, Toll {
  seconds: number;
  rounds: number;
  /** false: it was interrupted, or its time is not over yet */
  whole: boolean;
  faults: FaultRow[];
  /** undefined: there was no hostile user */
  hostility: Hostility | undefined;
  stored: number;
  refused: number;
  received: number;
  shown: number;
  spoken: number;
  heard: number;
  again: number;
  erased: number;
  ended: number;
  glimpses: number;
  violations: { round: number; rule: string; what: string }[];
}

const seenAs = {
  refused: "bad packets refused",
  received: "received live",
  shown: "shown by the SDK",
  spoken: "said by programs of other protocols",
  heard: "heard by them",
  again: "of it again",
  erased: "users erased",
  ended: "messages disappeared",
  glimpses: "looked for them",
} as const;
const seen = Object.keys(seenAs) as (keyof typeof seenAs)[];
const tolls = ["sent", "acknowledged", "lost", "duplicated", "reordered"] as const;

export function ledgerOf(
  setting: Setting,
  { seconds, whole }: { seconds: number; whole: boolean },
  rounds: readonly Round[],
): Ledger {
  const sum = (key: (typeof tolls)[number] | "stored" | (typeof seen)[number]) =>
    rounds.reduce((total, round) => total + round[key], 0);
  const incidents = rounds.flatMap((round) => round.incidents);
  // Two at once are one row: there are too many pairs.
  const byFault = Map.groupBy(incidents, ({ fault }) =>
    fault.includes(" and ") && twice(fault) ? "two at once" : fault,
  );
  return {
    ...setting,
    ...tollOf(sum),
    seconds: Math.round(seconds),
    rounds: rounds.length,
    whole,
    faults: [...byFault].map(([fault, all]) => rowOf(fault, all)).sort((a, b) => (a.fault < b.fault ? -1 : 1)),
    hostility: hostilityOf(rounds),
    stored: sum("stored"),
    ...(Object.fromEntries(seen.map((key) => [key, sum(key)])) as Record<(typeof seen)[number], number>),
    violations: rounds.flatMap(({ violations }, index) => violations.map((one) => ({ round: index + 1, ...one }))),
  };
}

function hostilityOf(rounds: readonly Round[]): Hostility | undefined {
  const hostile = rounds.filter(({ blows }) => blows !== undefined);
  if (hostile.length === 0) return undefined;
  const peaceful = rounds.filter(({ blows }) => blows === undefined);
  const total = (key: keyof Blows) => hostile.reduce((sum, { blows }) => sum + (blows?.[key] ?? 0), 0);
  const blows = Object.fromEntries((Object.keys(noBlows) as (keyof Blows)[]).map((key) => [key, total(key)]));
  return {
    rounds: hostile.length,
    blows: blows as unknown as Blows,
    without: waitsOf(peaceful),
    with: waitsOf(hostile),
  };
}

function waitsOf(rounds: readonly Round[]): Waits {
  const waits = rounds.flatMap(({ calmWaitsMs }) => calmWaitsMs).sort((a, b) => a - b);
  const at = (share: number) => Math.round((waits[Math.floor((waits.length - 1) * share)] ?? 0) * 10) / 10;
  return { messages: waits.length, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function rowOf(fault: string, all: readonly (Incident & Toll)[]): FaultRow {
  const times = all.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
  const [recoveryP50Ms = 0, recoveryMaxMs = 0] = [times[(times.length - 1) >> 1], times.at(-1)].map((ms) =>
    Math.round(ms ?? 0),
  );
  const counts = { injected: all.length, notRecovered: all.length - times.length };
  const toll = tollOf((key) => all.reduce((total, one) => total + one[key], 0));
  return { fault, ...counts, ...toll, recoveryP50Ms, recoveryMaxMs };
}

function tollOf(sum: (key: (typeof tolls)[number]) => number): Toll {
  return Object.fromEntries(tolls.map((key) => [key, sum(key)])) as unknown as Toll;
}

// "NATS cut between router and history" is one.
function twice(fault: string): boolean {
  return !fault.startsWith("NATS cut between") || fault.split(" and ").length > 2;
}

/** The page, as Markdown. */
export function textOf(ledger: Ledger): string {
  const { violations } = ledger;
  const head = ["fault", "injected", ...tolls, "recovery p50, ms", "max, ms", "not recovered"];
  const rows = ledger.faults.map((row) => [
    row.fault,
    row.injected,
    ...tolls.map((key) => row[key]),
    row.recoveryP50Ms,
    row.recoveryMaxMs,
    row.notRecovered,
  ]);
  const sums = [...tolls.map((key) => ledger[key]), ledger.stored, ...seen.map((key) => ledger[key])];
  return [
    `# A run of faults, seed ${ledger.seed}`,
    `Written by \`npm run fault\`; what is promised and how it is checked: [fault.md](fault.md).`,
    settingOf(ledger),
    ...ledger.leftOut.map((sentence) => `Left out: ${sentence}.`),
    "Totals:",
    table([...tolls, "stored", ...Object.values(seenAs)], [sums]),
    violations.length === 0 ? "**Violations: none.**" : `**Violations: ${violations.length}.**`,
    ...(violations.length === 0
      ? []
      : [violations.map(({ round, rule, what }) => `- round ${round}: ${rule}: ${what}`).join("\n")]),
    "Fault by fault. Sent … reordered: of the messages first sent between a fault's beginning and the recovery from it. Recovery: the longest that one of them waited for its ack, up to when every sender was acknowledged for something it sent after the fault's end.",
    table(head, rows),
    ...hostilityText(ledger.hostility),
    "Checked after every round: guarantees 1 (acknowledged is stored and in every sync), 2 (stored once, acknowledged with the same `seq`), 3 (no gaps, the order of a device), 4 (every member device gets each message; the SDK shows it once, in order), 5 (sync is complete), 6 (`from` is who sent it), 7 (nothing reaches a removed member), 8 (unread and marks), 9 (a bad packet gets its error and is not stored); blocks, erasures and messages that disappear.",
  ].join("\n\n");
}

const blowWords: Record<keyof Blows, string> = {
  statePackets: "QoS 0 packets in floods",
  filters: "filters in SUBSCRIBE packets",
  poison: "packets with ids that cannot be any",
  tooLarge: "publishes of 300 KB",
  wrongPasswords: "logins with a wrong password",
  sessionsLeft: "persistent sessions left behind",
  heavyMessages: "messages of 60 KB for them",
  pages: "requests for 500 messages each",
  largeMessages: "messages of 30 KB",
  silentSockets: "sockets that said nothing",
};

function hostilityText(hostility: Hostility | undefined): string[] {
  if (!hostility) return [];
  const { rounds, blows, without, with: beside } = hostility;
  const done = Object.entries(blowWords).map(([key, words]) => [words, blows[key as keyof Blows]]);
  const ratio = without.p99Ms > 0 ? (beside.p99Ms / without.p99Ms).toFixed(2) : "not known";
  return [
    `A hostile user beside the honest ones in ${rounds} rounds: what it sent, as far as it was read.`,
    table(["", "count"], done),
    "How long honest messages waited for their acks while no fault was under way:",
    table(
      ["rounds", "messages", "p50, ms", "p99, ms"],
      [
        ["without it", without.messages, without.p50Ms, without.p99Ms],
        ["with it", beside.messages, beside.p50Ms, beside.p99Ms],
      ],
    ),
    `p99 with it is ${ratio} × that without it.`,
  ];
}

function settingOf(ledger: Ledger): string {
  const minutes = (ledger.seconds / 60).toFixed(1);
  return table(
    ["", ""],
    [
      ["begun", ledger.startedAt],
      ["lasted", `${minutes} minutes, ${ledger.rounds} rounds${ledger.whole ? "" : " (not to its end)"}`],
      ["replay", `\`${ledger.replay}\``],
      ["commit", ledger.commit],
      ["machine", ledger.machine],
      ["store", ledger.store],
      ["replicas", ledger.replicas],
      ["load", `${ledger.perSecond} messages a second`],
    ],
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
