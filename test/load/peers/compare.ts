// `npm run bench -- --peer ejabberd`: the same work on both systems, by turns on one machine, each storing what it delivers.
import type { Cluster } from "@parley/testkit";
import { middleOf } from "../comparison.ts";
import { histogram, type Percentiles, percentiles } from "../open-loop.ts";
import type { Pair } from "../pairs.ts";
import { type ByPart, cpuMicros, difference } from "../processes.ts";
import { reportOf } from "../report.ts";
import { saturate } from "../saturate.ts";
import { type Bench, type Figure, type Section, sized } from "../scenario.ts";
import { type Ejabberd, startEjabberd } from "./ejabberd.ts";
import { openMqttPairs, openMqttRoom } from "./mqtt.ts";
import { openXmppPairs, openXmppRoom } from "./xmpp.ts";

export const peerNames = ["ejabberd"] as const;

interface Work {
  what: string;
  members?: number;
  pairs?: number;
  inFlight: number;
  /** of the peer's: at least so many times its rate, at most so much of its p99 */
  target: { rate: number; p99?: number };
}

const works: readonly Work[] = [
  { what: "1:1, 20 in flight", pairs: 20, inFlight: 20, target: { rate: 2, p99: 0.5 } },
  { what: "1:1, 200 in flight", pairs: 50, inFlight: 200, target: { rate: 4 } },
  { what: "1:1, 1,000 in flight", pairs: 50, inFlight: 1_000, target: { rate: 4 } },
  { what: "room 1 → 100", members: 100, inFlight: 5, target: { rate: 1.5, p99: 1 } },
];
const text = "A".repeat(200);

interface Measured {
  messages: number;
  /** deliveries a second: of a room each member's is one */
  rate: number;
  latency: Percentiles;
  cpu: ByPart;
}

interface Round {
  parley: Measured;
  peer: Measured;
}

/** Of one kind of work: its figures, and its line of the further numbers. */
interface Found {
  figures: Figure[];
  row: string[];
}

/** Prints the table. Throws a message for people. */
export async function measurePeer(bench: Bench): Promise<void> {
  const peer = await startEjabberd(bench.say);
  try {
    await bench.withCluster({}, async (cluster) => {
      const found: Found[] = [];
      for (const work of works) found.push(await measureWork(bench, work, cluster, peer));
      process.stdout.write(`\n${reportOf([sectionOf(bench, found)])}\n`);
    });
  } finally {
    await peer.close();
  }
}

async function measureWork(bench: Bench, work: Work, cluster: Cluster, peer: Ejabberd): Promise<Found> {
  const members = work.members && sized(bench, work.members, 10);
  const pairs = sized(bench, work.pairs ?? 0, 2);
  bench.say(`${work.what}: connecting both sides`);
  const sides = {
    parley: members ? [await openMqttRoom(cluster, members, text)] : await openMqttPairs(cluster, pairs, text),
    peer: members ? [await openXmppRoom(peer, members, text)] : await openXmppPairs(peer, pairs, text),
  };
  const processes = { parley: () => cluster.run().processes, peer: () => peer.processes() };
  const archivedBefore = await peer.archived();
  const rounds: Round[] = [];
  for (let round = 0; round < sized(bench, bench.rounds, 1); round++) {
    const measured: Partial<Round> = {};
    // Who begins changes from round to round, so that a machine that slows down favours neither.
    for (const side of round % 2 === 0 ? (["peer", "parley"] as const) : (["parley", "peer"] as const)) {
      const found = await measure(bench, sides[side], work, { copies: members ?? 1, processes: processes[side] });
      measured[side] = found;
      const { p50, p99 } = found.latency;
      bench.say(
        `${work.what}, ${side === "peer" ? "ejabberd" : "Parley"}: ${Math.round(found.rate)}/s, p50 ${p50} ms, p99 ${p99} ms`,
      );
    }
    rounds.push(measured as Round);
  }
  await checkArchived(peer, archivedBefore, rounds);
  await Promise.all([...sides.parley, ...sides.peer].map((pair) => pair.close()));
  return foundOf(bench, work, rounds);
}

/** Who stores less does less work. A message is in the archive of who wrote it and of who received it, or of the room. */
async function checkArchived(peer: Ejabberd, before: number, rounds: readonly Round[]): Promise<void> {
  const messages = rounds.reduce((sum, round) => sum + round.peer.messages, 0);
  const archived = (await peer.archived()) - before;
  if (archived < messages) throw new Error(`ejabberd has archived ${archived} of ${messages} messages`);
}

async function measure(
  { seconds, warmupSeconds }: Bench,
  pairs: readonly Pair[],
  { inFlight }: Work,
  { copies, processes }: { copies: number; processes(): Record<string, number[]> },
): Promise<Measured> {
  const latency = histogram();
  let isCounted = false;
  const timed = pairs.map(
    (pair): Pair => ({
      ...pair,
      send(timing) {
        const begun = performance.now();
        pair.send({
          acknowledged: timing.acknowledged,
          delivered(at) {
            if (isCounted) latency.recordValue(Math.max(1, Math.round((at - begun) * 1_000)));
            timing.delivered(at);
          },
        });
      },
    }),
  );
  const sample = () => {
    isCounted = !isCounted;
    return cpuMicros(processes());
  };
  const found = await saturate(timed, { inFlight, warmupSeconds, seconds, sample });
  const deliveries = found.messages * copies;
  return {
    messages: found.messages,
    rate: deliveries / found.seconds,
    latency: percentiles(latency),
    cpu: difference(found.after, found.before, deliveries),
  };
}

function foundOf({ quick }: Bench, { what, members, target }: Work, rounds: readonly Round[]): Found {
  const of = (side: keyof Round, read: (measured: Measured) => number) =>
    middleOf(rounds.map((round) => read(round[side])));
  const ratios = rounds.map(({ parley, peer }) => parley.rate / peer.rate);
  const figure = (name: string, unit: string, read: (measured: Measured) => number): Figure => ({
    what: `${what}, ${name}`,
    value: of("parley", read),
    unit,
    baseline: { what: "ejabberd", value: of("peer", read) },
  });
  const rate = figure(members ? "deliveries/s" : "messages/s", "/s", (measured) => measured.rate);
  const p99 = figure("p99", "ms", ({ latency }) => latency.p99);
  const kept = middleOf(ratios);
  const isFast = (limit: number) => p99.value <= limit * p99.baseline.value;
  return {
    figures: [
      { ...rate, target: { text: `≥ ${target.rate} ×`, met: quick ? undefined : kept >= target.rate } },
      figure("p50", "ms", ({ latency }) => latency.p50),
      target.p99 === undefined
        ? p99
        : { ...p99, target: { text: `≤ ${target.p99} ×`, met: quick ? undefined : isFast(target.p99) } },
    ],
    row: [what, ratios.map((one) => one.toFixed(2)).join(", "), cpuOf(of, "parley"), cpuOf(of, "peer")],
  };
}

function cpuOf(of: (side: keyof Round, read: (measured: Measured) => number) => number, side: keyof Round): string {
  const all = of(side, ({ cpu }) => Object.values(cpu).reduce((sum, one) => sum + one, 0));
  const generator = of(side, ({ cpu }) => cpu.generator ?? 0);
  return `${Math.round(all - generator)}, ${Math.round(all)}`;
}

const head = [
  "",
  "ratio of each round",
  "Parley CPU µs a delivery, without and with generator",
  "ejabberd and PostgreSQL",
];

function sectionOf({ rounds, seconds }: Bench, found: readonly Found[]): Section {
  return {
    title: "Parley and ejabberd",
    notes: [
      "ejabberd 23.01 of Debian 12, its archive (mod_mam) on PostgreSQL 15 with synchronous commit; Parley through the edge with a token a device, on SQLite that syncs every commit.",
      `Each figure is the middle of ${rounds} rounds of ${seconds} s, by turns; generators on raw TCP are one process and share the cores.`,
      "A message of Parley counts when its sender has the ack and all who receive it have it; one of ejabberd when all have it.",
    ],
    figures: found.flatMap(({ figures }) => figures),
    tables: [{ head, rows: found.map(({ row }) => row) }],
  };
}
