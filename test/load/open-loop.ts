// Open loop: messages at a fixed rate whatever happens, latency counted from the intended moment of sending.
import { build, type Histogram } from "hdr-histogram-js";
import type { Pair } from "./pairs.ts";
import { pause } from "./saturate.ts";

export interface Percentiles {
  p50: number;
  p99: number;
  p999: number;
  max: number;
}

export interface Latency {
  /** messages a second that were really sent */
  sentPerSecond: number;
  delivery: Percentiles;
  ack: Percentiles;
  /** sent and not seen again within 10 s of the end */
  missing: number;
}

const tickMs = 1;

/** `during` is begun when measuring begins; it is then measured until that is over, and at least `seconds`. */
export interface OpenLoop {
  rate: number;
  warmupSeconds: number;
  seconds: number;
  during?: () => Promise<unknown>;
}

/** Milliseconds. */
export async function openLoop(pairs: readonly Pair[], options: OpenLoop): Promise<Latency> {
  const { rate, warmupSeconds, seconds } = options;
  const [delivery, ack] = [histogram(), histogram()];
  const start = performance.now();
  const measureFrom = start + warmupSeconds * 1_000;
  const end = measureFrom + seconds * 1_000;
  let over = options.during === undefined;
  let begun: Promise<unknown> | undefined;
  let [sent, counted, open] = [0, 0, 0];
  const note = (into: Histogram, intended: number) => (at: number) => {
    open -= 1;
    if (intended >= measureFrom) into.recordValue(Math.max(1, Math.round((at - intended) * 1_000)));
  };
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      if (now >= measureFrom && options.during && !begun) {
        begun = options.during().finally(() => {
          over = true;
        });
        begun.catch(() => {});
      }
      if (now >= end && over) {
        clearInterval(timer);
        resolve();
        return;
      }
      for (let due = start + (sent * 1_000) / rate; due <= now; due = start + (sent * 1_000) / rate) {
        const pair = pairs[sent % pairs.length] as Pair;
        sent += 1;
        open += 2;
        if (due >= measureFrom) counted += 1;
        pair.send({ acknowledged: note(ack, due), delivered: note(delivery, due) });
      }
    }, tickMs);
  });
  await begun;
  const measured = (performance.now() - measureFrom) / 1_000;
  for (let waited = 0; open > 0 && waited < 10; waited += 0.1) await pause(0.1);
  return {
    sentPerSecond: counted / measured,
    delivery: percentiles(delivery),
    ack: percentiles(ack),
    missing: Math.ceil(open / 2),
  };
}

export function histogram(): Histogram {
  return build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 });
}

export function percentiles(from: Histogram): Percentiles {
  const at = (percentile: number) => from.getValueAtPercentile(percentile) / 1_000;
  return { p50: at(50), p99: at(99), p999: at(99.9), max: from.maxValue / 1_000 };
}
