// The figures of a run as tables for people, and as JSON.
import type { Latency, Percentiles } from "./open-loop.ts";
import type { ByPart } from "./processes.ts";

export type Way = "broker" | "edge";

export interface RateRow {
  inFlight: number;
  way: Way;
  parley: number;
  raw: number;
  /** CPU µs a message, by part */
  cpu: ByPart;
}

export interface LatencyRow {
  rate: number;
  way: Way;
  parley: Latency;
  raw: Latency;
}

export interface Figures {
  at: string;
  node: string;
  cores: number;
  rates: RateRow[];
  latencies: LatencyRow[];
  memory: { restMiB: ByPart; perThousandConnectionsMiB: ByPart } | undefined;
  hooks: { hook: string; perSecond: number; p50Ms: number; p99Ms: number; refused: number }[];
}

const wayNames: Record<Way, string> = {
  broker: "on the broker itself (no hook is asked)",
  edge: "through the edge",
};

/** Markdown. */
export function reportOf(figures: Figures): string {
  return [
    `Measured ${figures.at}, Node ${figures.node}, ${figures.cores} cores, load generator included.`,
    figures.rates.length > 0 ? rates(figures.rates) : "",
    figures.rates.length > 0 ? cpu(figures.rates) : "",
    figures.latencies.length > 0 ? latencies(figures.latencies) : "",
    memory(figures),
    hooks(figures.hooks),
  ]
    .filter(Boolean)
    .join("\n\n");
}

function rates(rows: readonly RateRow[]): string {
  return table(
    ["1:1 messages/s, stored and delivered", "in flight", "Parley", "raw broker", "ratio"],
    rows.map(({ way, inFlight, parley, raw }) => [
      wayNames[way],
      inFlight,
      round(parley),
      round(raw),
      percent(parley, raw),
    ]),
  );
}

function cpu(rows: readonly RateRow[]): string {
  const busiest = rows.filter(({ inFlight }) => inFlight === Math.max(...rows.map((row) => row.inFlight)));
  const parts = [...new Set(busiest.flatMap((row) => Object.keys(row.cpu)))];
  return table(
    ["CPU µs a message", ...parts],
    busiest.map((row) => [
      `${wayNames[row.way]}, ${row.inFlight} in flight`,
      ...parts.map((part) => round(row.cpu[part] ?? 0)),
    ]),
  );
}

function latencies(rows: readonly LatencyRow[]): string {
  const cells = ({ p50, p99, p999 }: Percentiles) => [p50, p99, p999].map((ms) => ms.toFixed(1));
  return table(
    [
      "open loop, ms from the intended send",
      "rate/s",
      "delivery p50",
      "p99",
      "p99.9",
      "ack p50",
      "p99",
      "p99.9",
      "raw delivery p50",
      "p99",
      "missing",
    ],
    rows.map(({ way, rate, parley, raw }) => [
      wayNames[way],
      rate,
      ...cells(parley.delivery),
      ...cells(parley.ack),
      raw.delivery.p50.toFixed(1),
      raw.delivery.p99.toFixed(1),
      parley.missing,
    ]),
  );
}

function memory({ memory: figures }: Figures): string {
  if (!figures) return "";
  const parts = Object.keys(figures.restMiB);
  return table(
    ["memory, MiB", ...parts],
    [
      ["at rest", ...parts.map((part) => round(figures.restMiB[part] ?? 0))],
      ["more per 1,000 connections", ...parts.map((part) => (figures.perThousandConnectionsMiB[part] ?? 0).toFixed(1))],
    ],
  );
}

function hooks(rows: Figures["hooks"]): string {
  if (rows.length === 0) return "";
  return table(
    ["hook decisions, one auth-webhook", "a second", "p50 ms", "p99 ms", "refused"],
    rows.map(({ hook, perSecond, p50Ms, p99Ms, refused }) => [
      hook === "auth_on_register" ? "connects by token, with presence" : hook,
      round(perSecond),
      p50Ms.toFixed(1),
      p99Ms.toFixed(1),
      refused,
    ]),
  );
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.round((100 * part) / whole)} %` : "–";
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
