// What a soak found: its verdict, and the table of every process.
import { allowance, floorGrows, floorTrend, growsSurely, median, pastStart, type Trend, trendOf } from "./flatness.ts";
import type { Sample } from "./samples.ts";
import type { Comparison, Counts } from "./tally.ts";

export interface Soak {
  at: string;
  machine: string;
  store: string;
  /** messages a second: what was reached at the calibration, and what was sent from then on */
  reached: number | undefined;
  rate: number;
  seconds: number;
  counts: Counts;
  /** messages that were not sent because too many were unanswered */
  skipped: number;
  unanswered: number;
  comparison: Comparison;
  /** processes that died and were started again */
  restarts: number;
  samples: Sample[];
}

/** Shorter runs say nothing of memory: V8 alone takes minutes to come to rest. */
const shortestSeconds = 600;

export interface Verdict {
  /** the run's traffic: nothing acknowledged is missing, nothing is stored twice, nothing died */
  whole: boolean;
  /** undefined: the run was too short to say */
  flat: boolean | undefined;
  /** one line each */
  reasons: string[];
}

export function verdictOf(soak: Soak): Verdict {
  const { lost, doubled } = soak.comparison;
  const faults = [
    ...(lost > 0 ? [`${lost} acknowledged messages are not in the log`] : []),
    ...(doubled > 0 ? [`${doubled} messages are stored twice`] : []),
    ...(soak.restarts > 0 ? [`${soak.restarts} times a process died`] : []),
  ];
  const growing = rowsOf(soak).filter(({ flat }) => !flat);
  const grows = growing.map(
    ({ name, rss }) => `${name} grew by ${rss.growth.toFixed(1)} MiB of ${rss.mean.toFixed(0)}`,
  );
  const flat = soak.seconds < shortestSeconds ? undefined : growing.length === 0;
  return { whole: faults.length === 0, flat, reasons: [...faults, ...grows] };
}

interface Row {
  name: string;
  rss: Trend;
  /** used heap right after collections; servers tell none */
  heapFloor: Trend | undefined;
  flat: boolean;
  eventLoopP99Ms: number | undefined;
  bytesAMessage: number;
}

export function rowsOf({ samples, counts, seconds }: Soak): Row[] {
  const past = pastStart(samples);
  const names = new Set(samples.flatMap(({ processes }) => Object.keys(processes)));
  const span = (past.at(-1)?.at ?? 0) - (past[0]?.at ?? 0);
  const messages = (counts.acknowledged * span) / Math.max(1, seconds);
  return [...names].map((name) => {
    const own = past.flatMap(({ at, processes }) => (processes[name] ? [{ at, ...processes[name] }] : []));
    const rss = trendOf(own.map(({ at, rssMiB }) => ({ at, value: rssMiB })));
    const heap = own.flatMap(({ at, heapMiB }) => (heapMiB === undefined ? [] : [{ at, value: heapMiB }]));
    const heapFloor = heap.length > 0 ? floorTrend(heap) : undefined;
    const delays = own.flatMap(({ eventLoopP99Ms: ms }) => (ms === undefined || Number.isNaN(ms) ? [] : [ms]));
    return {
      name,
      rss,
      heapFloor,
      flat: !growsSurely(rss) && !(heapFloor && floorGrows(heapFloor)),
      eventLoopP99Ms: delays.length > 0 ? median(delays) : undefined,
      bytesAMessage: messages > 0 ? (rss.growth * 1024 * 1024) / messages : 0,
    };
  });
}

/** Markdown. */
export function textOf(soak: Soak): string {
  const { counts, comparison } = soak;
  const minutes = (soak.seconds / 60).toFixed(1);
  const reached = soak.reached === undefined ? "" : ` (as fast as it goes: ${soak.reached.toFixed(0)}/s)`;
  return [
    `${soak.at}, ${soak.machine}, ${soak.store}: ${minutes} minutes at ${soak.rate.toFixed(0)} messages/s${reached}.`,
    `${counts.sent} sent, ${counts.acknowledged} acknowledged, ${soak.unanswered} unanswered at the end, ${comparison.stored} stored; ` +
      `**${comparison.lost} acknowledged and lost, ${comparison.doubled} stored twice**. ${counts.received} copies received, ` +
      `${counts.receipts} receipts, ${counts.typing} typing, ${counts.syncs} syncs, ${counts.reconnects} reconnects with ${counts.logins} logins; ` +
      `${counts.again} sent again, ${soak.skipped} not sent for want of answers, ${counts.failedRequests} requests failed, refused: ${shownCounts(counts.refused)}.`,
    processTable(soak),
    gaugeTable(soak.samples),
    `Flat: over the last two thirds RSS does not surely (95 %) grow by more than ${allowance.mib} MiB or ${100 * allowance.share} % of its mean, and what collections leave of the heap does not by more than ${allowance.floorMib} MiB. ${conclusion(verdictOf(soak))}`,
  ].join("\n\n");
}

function conclusion({ whole, flat, reasons }: Verdict): string {
  if (flat === undefined) return `Verdict: the run was too short to judge memory. ${reasons.join("; ")}`.trim();
  return whole && flat ? "Verdict: **flat, nothing lost**." : `Verdict: **not passed**: ${reasons.join("; ")}.`;
}

function processTable(soak: Soak): string {
  const head = [
    ...["process", "RSS, mean MiB", "lowest – highest", "grew by, MiB", "surely by", "MiB an hour", "% an hour"],
    ...["heap after collections grew by, MiB", "bytes a message", "event loop delay p99, ms", ""],
  ];
  const rows = rowsOf(soak).map(({ name, rss, heapFloor, flat, eventLoopP99Ms, bytesAMessage }) => [
    ...[name, rss.mean.toFixed(0), `${rss.min.toFixed(0)} – ${rss.max.toFixed(0)}`, signed(rss.growth)],
    ...[signed(rss.growthAtLeast), signed(rss.perHour), signed((100 * rss.perHour) / Math.max(1, rss.mean))],
    ...[heapFloor ? signed(heapFloor.growth) : "", signed(bytesAMessage)],
    ...[eventLoopP99Ms?.toFixed(0) ?? "", flat ? "flat" : "**grows**"],
  ]);
  return markdown(head, rows);
}

function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

function gaugeTable(samples: readonly Sample[]): string {
  const series = new Map<string, number[]>();
  for (const { processes, storeMiB } of samples) {
    for (const [name, { gauges = {} }] of Object.entries(processes))
      for (const [gauge, value] of Object.entries(gauges))
        series.set(`${name}: ${gauge}`, [...(series.get(`${name}: ${gauge}`) ?? []), value]);
    if (storeMiB !== undefined)
      series.set("store on disk, MiB", [...(series.get("store on disk, MiB") ?? []), storeMiB]);
  }
  const rows = [...series].map(([name, values]) => [
    ...[name, shown(median(values)), shown(Math.max(...values)), shown(values.at(-1) ?? 0)],
  ]);
  return markdown(["gauge", "median", "highest", "at the end"], rows);
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(1);
}

function signed(value: number): string {
  return `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(1)}`;
}

function shownCounts(counts: Record<string, number>): string {
  const all = Object.entries(counts).map(([code, count]) => `${count} ${code}`);
  return all.length > 0 ? all.join(", ") : "none";
}
