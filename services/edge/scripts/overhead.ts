// What the edge costs, with native devices and with devices that have trees: packets by CPU time, what it adds to the time
// that a message takes, memory of a connection. The same load goes over Mosquitto itself, by turns.
// node services/edge/scripts/overhead.ts [--seconds 4] [--rounds 3] [--connections 5000] [--rate 2000] [--profile]
import { parseArgs } from "node:util";
import { treeUplinkPrefix } from "@parley/protocol";
import { startServers } from "@parley/testkit";
import { type EdgeProcess, mountpointOf, startEdgeProcess, treeClients } from "./edge-process.ts";
import { openDevice, type RawDevice, type Target } from "./raw-device.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    connections: { type: "string", default: "5000" },
    rate: { type: "string", default: "2000" },
    profile: { type: "boolean", default: false },
  },
});
const seconds = Number(options.seconds);
const pairs = 32;
const inFlight = 320;
const payloadBytes = 200;
/** Of a device's message: to the edge, and to the other device. */
const passes = 2;

/** A way for the load, and where on it a device publishes and hears. */
interface Way extends Target {
  clientId(name: string): string;
  /** as the broker has them: `relay` sees a topic of the first and publishes on one of the second */
  up(clientId: string): string;
  down(clientId: string): string;
}

type WayName = "broker" | "native" | "tree";
const wayNames: readonly WayName[] = ["broker", "native", "tree"];

interface Load {
  /** Sends one message from pair `index`; `arrived` is called when its receiver has it. */
  send(index: number, arrived: () => void): void;
  close(): void;
}

/** A service at the broker sends on what one device published to the other, as a router does. */
async function openLoad(way: Way, service: Target): Promise<Load> {
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
  const isTree = way.name === "tree";
  const devices = await Promise.all(
    names.map(async ([writer = "", reader = ""], index) => {
      const hears = await openDevice(way, reader, () => waiting[index]?.shift()?.());
      await hears.subscribe(isTree ? "m" : `${way.down(reader)}m`);
      return {
        writes: await openDevice(way, writer, () => {}),
        hears,
        topic: Buffer.from(isTree ? "m" : `${way.up(writer)}m`),
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

/** Messages a second with `inFlight` under way, and CPU time of the edge meanwhile. */
async function saturate(load: Load, edge: EdgeProcess): Promise<{ rate: number; cpuMicros: number }> {
  let arrived = 0;
  let open = true;
  const go = (index: number): void =>
    load.send(index, () => {
      arrived += 1;
      if (open) go(index);
    });
  for (let slot = 0; slot < inFlight; slot++) go(slot % pairs);
  await pause(1);
  const [from, cpu, begin] = [arrived, edge.cpuSeconds(), performance.now()];
  await pause(seconds);
  const messages = arrived - from;
  const used = edge.cpuSeconds() - cpu;
  open = false;
  const rate = messages / ((performance.now() - begin) / 1_000);
  await pause(0.5);
  return { rate, cpuMicros: (1e6 * used) / messages };
}

/** ms from the intended moment of sending, at a fixed rate whatever happens. */
async function openLoop(load: Load, rate: number): Promise<{ p50: number; p99: number }> {
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
  await pause(0.5);
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.floor(q * (latencies.length - 1))] ?? Number.NaN;
  return { p50: quantile(0.5), p99: quantile(0.99) };
}

/**
 * Connects many, 64 at a time, and keeps them: connects a second, and what each costs the edge's memory. Counted are those of the second
 * half: by then the room that V8 has for new objects is grown, which is no connection's.
 */
async function measureConnections(way: Way, count: number, edge: EdgeProcess): Promise<void> {
  let before = 0;
  const begin = performance.now();
  const devices: RawDevice[] = [];
  let next = 0;
  const connectSome = async (): Promise<void> => {
    while (next < count) {
      if (next === count >> 1) before = edge.residentKiB();
      const device = await openDevice(way, way.clientId(`c${next++}`), () => {});
      devices.push(device);
      await device.subscribe(way.name === "tree" ? "m" : "some/topic");
    }
  };
  await Promise.all(Array.from({ length: 64 }, connectSome));
  const rate = count / ((performance.now() - begin) / 1_000);
  await pause(1);
  const each = (edge.residentKiB() - before) / (count - (count >> 1));
  say(`${count} connections, ${way.name}: ${each.toFixed(1)} KiB each at the edge, ${Math.round(rate)} connects/s`);
  for (const device of devices) device.close();
  await pause(1);
}

interface Round {
  rate: number;
  cpuMicros: number;
  p50: number;
  p99: number;
}

async function measure(way: Way, service: Target, edge: EdgeProcess): Promise<Round> {
  const load = await openLoad(way, service);
  const latency = await openLoop(load, Number(options.rate));
  const saturated = await saturate(load, edge);
  load.close();
  await pause(0.3);
  return { ...saturated, ...latency };
}

function report(rounds: Record<WayName, Round>[]): void {
  const middle = (of: (round: Record<WayName, Round>) => number) =>
    rounds.map(of).toSorted((a, b) => a - b)[Math.floor((rounds.length - 1) / 2)] ?? Number.NaN;
  for (const name of wayNames) {
    const [rate, p50, p99] = (["rate", "p50", "p99"] as const).map((field) => middle((round) => round[name][field]));
    say(
      `${name}: ${Math.round(rate!)} messages/s; at ${options.rate}/s p50 ${p50!.toFixed(2)}, p99 ${p99!.toFixed(2)} ms`,
    );
    if (name === "broker") continue;
    const cpu = middle((round) => round[name].cpuMicros);
    const added = (["p50", "p99"] as const).map((field) => middle((round) => round[name][field] - round.broker[field]));
    const each = rounds.map((round) => (round[name].p99 - round.broker.p99).toFixed(2)).join(", ");
    say(
      `  ${(cpu / passes).toFixed(1)} µs of CPU a packet, ${Math.round((1e6 * passes) / cpu)} packets/s a core; ` +
        `added at p50 ${added[0]!.toFixed(2)}, at p99 ${added[1]!.toFixed(2)} ms (${each})`,
    );
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function pause(forSeconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forSeconds * 1_000));
}

async function run(scope: { after(fn: () => unknown): void }): Promise<void> {
  const { mosquitto } = await startServers(scope, { mosquitto: { settings: ["persistence false"] } });
  const { url: brokerUrl, password, username } = mosquitto;
  const start = (profile: boolean) => startEdgeProcess(scope, { brokerUrl, password, profile });
  const edge = await start(options.profile);
  const service = { name: "service", port: mosquitto.port, username, password };
  const plain = {
    clientId: (name: string) => `${name}:1`,
    up: (id: string) => `up/${id}/`,
    down: (id: string) => `down/${id}/`,
  };
  const ways: Record<WayName, Way> = {
    broker: { ...service, name: "broker", ...plain },
    native: { name: "native", port: edge.port, username: "alice", password: "secret", ...plain },
    tree: {
      name: "tree",
      port: edge.port,
      username: "alice",
      password: "secret",
      clientId: (name) => treeClients + name,
      up: (id) => treeUplinkPrefix(mountpointOf(id)),
      down: mountpointOf,
    },
  };
  const rounds: Record<WayName, Round>[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const found = {} as Record<WayName, Round>;
    const begin = round % wayNames.length;
    for (const name of [...wayNames.slice(begin), ...wayNames.slice(0, begin)])
      found[name] = await measure(ways[name], service, edge);
    rounds.push(found);
  }
  report(rounds);
  const connections = Number(options.connections);
  for (const name of connections > 0 ? (["native", "tree"] as const) : []) {
    const fresh = await start(false);
    await measureConnections({ ...ways[name], port: fresh.port }, connections, fresh);
  }
}

const closers: (() => unknown)[] = [];
try {
  await run({ after: (fn) => void closers.unshift(fn) });
} finally {
  for (const close of closers) await close();
}
