// The load of what a proxy costs: devices in pairs, each message by way of a service at the broker, as by a router.
import { openDevice, type Target } from "./raw-device.ts";

const pairs = 32;
const inFlight = 320;
const payloadBytes = 200;
/** Of a device's message: to the proxy, and to the other device. */
export const passes = 2;

/** A way for the load, and where on it a device publishes and hears. */
export interface Way extends Target {
  clientId(name: string): string;
  /** as the broker has them: `relay` sees a topic of the first and publishes on one of the second */
  up(clientId: string): string;
  down(clientId: string): string;
  /** as the device names a topic that the broker has under `prefix` */
  topic(prefix: string): string;
}

export interface Load {
  /** Sends one message from pair `index`; `arrived` is called when its receiver has it. */
  send(index: number, arrived: () => void): void;
  close(): void;
}

/** A service at the broker sends on what one device published to the other, as a router does. */
export async function openLoad(way: Way, service: Target): Promise<Load> {
  const waiting: (() => void)[][] = Array.from({ length: pairs }, () => []);
  const names = Array.from({ length: pairs }, (_, index) =>
    [`w${index}`, `r${index}`].map((name) => way.clientId(name)),
  );
  const downOf = new Map<string, Buffer>();
  for (const [writer = "", reader = ""] of names) downOf.set(`${way.up(writer)}m`, Buffer.from(`${way.down(reader)}m`));
  const relay = await openDevice(service, `relay-${way.name}`, (topic, payload) => {
    const down = downOf.get(topic.toString("latin1"));
    if (down) relay.publish(down, payload);
  });
  const ups = [...downOf.keys()];
  for (const topic of ups) await relay.subscribe(topic);
  const devices = await Promise.all(
    names.map(async ([writer = "", reader = ""], index) => {
      const hears = await openDevice(way, reader, () => waiting[index]?.shift()?.());
      await hears.subscribe(way.topic(way.down(reader)));
      return {
        writes: await openDevice(way, writer, () => {}),
        hears,
        topic: Buffer.from(way.topic(way.up(writer))),
      };
    }),
  );
  const payload = Buffer.alloc(payloadBytes, "x");
  return {
    send(index, arrived) {
      const { writes, topic } = devices[index] as (typeof devices)[number];
      waiting[index]?.push(arrived);
      writes.publish(topic, payload);
    },
    close() {
      relay.close();
      for (const { writes, hears } of devices) for (const one of [writes, hears]) one.close();
    },
  };
}

/** Messages a second with `inFlight` under way, and CPU time of the proxy meanwhile. */
export async function saturate(
  load: Load,
  { seconds, cpuSeconds }: { seconds: number; cpuSeconds(): number },
): Promise<{ rate: number; cpuMicros: number }> {
  let arrived = 0;
  let open = true;
  const go = (index: number): void =>
    load.send(index, () => {
      arrived += 1;
      if (open) go(index);
    });
  for (let slot = 0; slot < inFlight; slot++) go(slot % pairs);
  await pause(1);
  const [from, cpu, begin] = [arrived, cpuSeconds(), performance.now()];
  await pause(seconds);
  const messages = arrived - from;
  const used = cpuSeconds() - cpu;
  open = false;
  const rate = messages / ((performance.now() - begin) / 1_000);
  await pause(0.5);
  return { rate, cpuMicros: (1e6 * used) / messages };
}

/** ms from the intended moment of sending, at a fixed rate whatever happens. */
export async function openLoop(
  load: Load,
  { seconds, rate }: { seconds: number; rate: number },
): Promise<{ p50: number; p99: number }> {
  const latencies: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1_000;
  let sent = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      if (now >= end) {
        clearInterval(timer);
        resolve();
        return;
      }
      for (let due = start + (sent * 1_000) / rate; due <= now; due = start + (sent * 1_000) / rate) {
        const intended = due;
        load.send(sent % pairs, () => latencies.push(performance.now() - intended));
        sent += 1;
      }
    }, 1);
  });
  await pause(0.2);
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))] ?? Number.NaN;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

export function pause(forSeconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forSeconds * 1_000));
}
