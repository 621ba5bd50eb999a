// Closed loop: a fixed number of messages in flight, as fast as they come through.
import type { Pair } from "./pairs.ts";

export interface Throughput<Sample> {
  /** what `sample` gave when counting began, and when it ended */
  before: Sample;
  after: Sample;
  perSecond: number;
  messages: number;
  seconds: number;
}

/** A message counts when it is acknowledged and delivered. */
export async function saturate<Sample>(
  pairs: readonly Pair[],
  options: { inFlight: number; warmupSeconds: number; seconds: number; sample(): Sample },
): Promise<Throughput<Sample>> {
  let done = 0;
  let stopped = false;
  let inFlight = 0;
  const idle = Promise.withResolvers<void>();
  const go = (pair: Pair) => {
    inFlight += 1;
    let open = 2;
    const half = () => {
      open -= 1;
      if (open > 0) return;
      done += 1;
      inFlight -= 1;
      if (!stopped) go(pair);
      else if (inFlight === 0) idle.resolve();
    };
    pair.send({ acknowledged: half, delivered: half });
  };
  for (let slot = 0; slot < options.inFlight; slot++) go(pairs[slot % pairs.length] as Pair);
  await pause(options.warmupSeconds);
  const before = options.sample();
  const [from, start] = [done, performance.now()];
  await pause(options.seconds);
  const [messages, seconds] = [done - from, (performance.now() - start) / 1_000];
  const after = options.sample();
  stopped = true;
  await Promise.race([idle.promise, pause(10)]);
  return { before, after, perSecond: messages / seconds, messages, seconds };
}

export function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
}
