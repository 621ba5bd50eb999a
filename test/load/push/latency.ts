// How long after a message was stored the provider is asked to notify a device that is away.
import { type Cluster, startApns } from "@parley/testkit";
import { histogram, type Percentiles, percentiles } from "../open-loop.ts";
import { receiverUid, senderUid } from "../pairs.ts";
import { makePeople } from "../people.ts";
import { pause } from "../saturate.ts";
import { type Bench, type Figure, type Section, sized } from "../scenario.ts";
import { withEndings } from "./endings.ts";
import { registerTokens } from "./holders.ts";
import { openSender, type Sender } from "./sender.ts";

const rates = [200, 1_000];
const targets = { rate: 200, p50: 50, p99: 200 };
const receiversMax = 64;
const patienceSeconds = 10;

interface Found {
  provider: Percentiles;
  ack: Percentiles;
  notified: number;
  sent: number;
}

interface Row {
  what: string;
  rate: number;
  isTargeted: boolean;
  found: Found;
}

const gatherings = [
  { what: "announced after 10 ms", env: { HISTORY_ANNOUNCE_MS: "10" }, isTargeted: true },
  { what: "as by default", env: {}, isTargeted: false },
];

/** When each message came to the provider, in unix ms, by its id. */
type Arrivals = Map<string, number>;

export function measureLatency(bench: Bench): Promise<Section> {
  return withEndings(async (t) => {
    const arrivals: Arrivals = new Map();
    // In this process, whose clock tells when a message comes: at these rates that costs little.
    const apns = await startApns(t, { counts: true });
    apns.answer(({ payload }) => {
      const { id } = JSON.parse(String(payload)) as { id?: string };
      if (id !== undefined) arrivals.set(id, nowMs());
      return undefined;
    });
    const rows: Row[] = [];
    for (const gathering of gatherings) {
      const env = { ...apns.settings, PUSH_DELAY_MS: "0", ...gathering.env };
      const found = await bench.withCluster({ env }, (cluster) => measureRates(bench, cluster, arrivals));
      for (const [rate, one] of found) {
        const { p50, p99 } = one.provider;
        bench.say(`${rate}/s, ${gathering.what}: at the provider after p50 ${p50} ms, p99 ${p99} ms`);
        rows.push({ what: `${rate}/s, ${gathering.what}`, rate, isTargeted: gathering.isTargeted, found: one });
      }
    }
    return sectionOf(bench, rows);
  });
}

async function measureRates(bench: Bench, cluster: Cluster, arrivals: Arrivals): Promise<[number, Found][]> {
  arrivals.clear();
  const receivers = sized(bench, receiversMax, 8);
  const people = await makePeople(cluster, receivers);
  const logins = Array.from({ length: receivers }, (_, index) => people.throughEdge(index).receiver.password);
  await registerTokens(cluster, logins, "apns");
  const sender = await openSender(cluster, senderUid(0));
  const found: [number, Found][] = [];
  for (const rate of rates) found.push([rate, await atRate(bench, { sender, arrivals, receivers, rate })]);
  await sender.close();
  return found;
}

function sectionOf(bench: Bench, rows: readonly Row[]): Section {
  return {
    title: "Push: stored to provider",
    notes: [
      `Messages at a fixed rate from one device to ${sized(bench, receiversMax, 8)} users who are away, each with one device that has a token of the local APNs; PUSH_DELAY_MS is 0.`,
      "It counts from the time that a message has as stored until the provider has the whole request. The baseline is from the intended send to the sender's ack.",
      "References to what is stored gather at history for 250 ms (HISTORY_ANNOUNCE_MS) before anybody is told of them; the target is without that wait too, but for 10 ms.",
    ],
    figures: rows.flatMap((row) => figuresOf(bench, row)),
    tables: [
      {
        head: ["", "p99.9 ms", "most ms", "messages", "notified"],
        rows: rows.map(({ what, found: { provider, sent, notified } }) => [
          what,
          provider.p999,
          provider.max,
          sent,
          notified,
        ]),
      },
    ],
  };
}

function figuresOf({ quick }: Bench, { what, rate, isTargeted, found: { provider, ack } }: Row): Figure[] {
  return (["p50", "p99"] as const).map((percentile) => {
    const value = provider[percentile];
    const target = { text: `≤ ${targets[percentile]} ms`, met: quick ? undefined : value <= targets[percentile] };
    return {
      what: `${what}, ${percentile}`,
      value,
      unit: "ms",
      baseline: { what: "sent to acknowledged", value: ack[percentile] },
      ...(isTargeted && rate === targets.rate ? { target } : {}),
    };
  });
}

interface Load {
  sender: Sender;
  arrivals: Arrivals;
  receivers: number;
  rate: number;
}

async function atRate(bench: Bench, { sender, arrivals, receivers, rate }: Load): Promise<Found> {
  const [provider, ack] = [histogram(), histogram()];
  const stored = new Map<string, number>();
  const start = performance.now();
  const measureFrom = start + bench.warmupSeconds * 1_000;
  const end = measureFrom + bench.seconds * 1_000;
  const acks: Promise<void>[] = [];
  for (let sent = 0, due = start; due < end; due = start + (++sent * 1_000) / rate) {
    const aheadMs = due - performance.now();
    if (aheadMs > 0) await pause(aheadMs / 1_000);
    const id = `${rate}-${sent}`;
    const isMeasured = due >= measureFrom;
    const acked = sender.send(`user/${receiverUid(sent % receivers)}`, id).then((ts) => {
      if (!isMeasured) return;
      stored.set(id, ts);
      ack.recordValue(Math.max(1, Math.round((performance.now() - due) * 1_000)));
    });
    acks.push(acked);
  }
  await Promise.all(acks);
  const isMissing = () => [...stored.keys()].some((id) => !arrivals.has(id));
  for (let waited = 0; waited < patienceSeconds && isMissing(); waited += 0.1) await pause(0.1);
  const all = [...stored].flatMap(([id, ts]) => (arrivals.has(id) ? [arrivals.get(id)! - ts] : []));
  for (const ms of all) provider.recordValue(Math.max(1, Math.round(ms * 1_000)));
  return { provider: percentiles(provider), ack: percentiles(ack), sent: stored.size, notified: all.length };
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
