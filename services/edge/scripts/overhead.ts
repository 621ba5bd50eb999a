// What the edge costs, with native devices and with devices that have trees: packets by CPU time, what it adds to the time
// that a message takes, memory of a connection. The same load goes over Mosquitto itself and over a proxy that only passes
// bytes on, by turns.
// node services/edge/scripts/overhead.ts [--seconds 4] [--rounds 3] [--slices 12] [--connections 5000] [--rate 2000]
//   [--against folder [--against-flags=--max-semi-space-size=64]] [--profile]
// `--against`: the edge of another checkout of Parley (or of this one, with other flags of node), by turns with this one.
import { parseArgs } from "node:util";
import { treeUplinkPrefix } from "@parley/protocol";
import { startServers } from "@parley/testkit";
import { mountpointOf, startEdgeProcess, treeClients } from "./edge-process.ts";
import { type Load, openLoad, openLoop, passes, pause, saturate, type Way } from "./load.ts";
import type { MeasuredProcess } from "./measured-process.ts";
import { startPassThrough } from "./pass-through.ts";
import { openDevice, type RawDevice, type Target } from "./raw-device.ts";

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "4" },
    rounds: { type: "string", default: "3" },
    slices: { type: "string", default: "12" },
    connections: { type: "string", default: "5000" },
    rate: { type: "string", default: "2000" },
    against: { type: "string" },
    "against-flags": { type: "string" },
    profile: { type: "boolean", default: false },
  },
});

const before = ["native before", "tree before"] as const;
type WayName = "broker" | "pass" | "native" | "tree" | (typeof before)[number];
const wayNames: readonly WayName[] = [
  ...(["broker", "pass", "native", "tree"] as const),
  ...(options.against === undefined ? [] : before),
];
type Of<T> = Record<WayName, T>;

/** Each way once a round, each round beginning with the next one. */
async function byTurns<T>(rounds: number, measure: (name: WayName) => Promise<T>): Promise<Of<T>[]> {
  const found: Of<T>[] = [];
  for (let round = 0; round < rounds; round++) {
    const begin = round % wayNames.length;
    const one = {} as Of<T>;
    for (const name of [...wayNames.slice(begin), ...wayNames.slice(0, begin)]) one[name] = await measure(name);
    found.push(one);
  }
  return found;
}

function middle(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** In slices of a second, so that what else goes on at the machine comes to all ways alike. */
async function measureLatency(loads: Of<Load>, proxies: Partial<Of<MeasuredProcess>>): Promise<void> {
  const rate = Number(options.rate);
  const slice = async (name: WayName) => {
    const cpu = proxies[name]?.cpuSeconds() ?? 0;
    const took = await openLoop(loads[name], { seconds: 1, rate });
    return { ...took, cpuMicros: (1e6 * ((proxies[name]?.cpuSeconds() ?? 0) - cpu)) / (rate * passes) };
  };
  await byTurns(1, slice);
  const slices = await byTurns(Number(options.slices), slice);
  for (const name of wayNames) {
    const [p50, p99] = (["p50", "p99"] as const).map((field) => {
      const took = middle(slices.map((slice) => slice[name][field])).toFixed(2);
      if (name === "broker") return `${field} ${took}`;
      const added = slices.map((slice) => slice[name][field] - slice.broker[field]).toSorted((a, b) => a - b);
      const quarters = [0.25, 0.75].map((q) => added[Math.floor(q * (added.length - 1))]!.toFixed(2));
      return `${field} ${took}, added ${middle(added).toFixed(2)} (${quarters.join("–")})`;
    });
    const cpu = slices.reduce((sum, slice) => sum + slice[name].cpuMicros, 0) / slices.length;
    say(`${name}: at ${rate}/s ${p50}; ${p99} ms${name === "broker" ? "" : `; ${cpu.toFixed(1)} µs of CPU a packet`}`);
  }
}

async function measureRate(loads: Of<Load>, proxies: Partial<Of<MeasuredProcess>>): Promise<void> {
  const seconds = Number(options.seconds);
  const rounds = await byTurns(Number(options.rounds), (name) =>
    saturate(loads[name], { seconds, cpuSeconds: () => proxies[name]?.cpuSeconds() ?? 0 }),
  );
  for (const name of wayNames) {
    const rate = middle(rounds.map((round) => round[name].rate));
    const cpu = middle(rounds.map((round) => round[name].cpuMicros)) / passes;
    const cost =
      name === "broker" ? "" : `; ${cpu.toFixed(1)} µs of CPU a packet, ${Math.round(1e6 / cpu)} packets/s a core`;
    say(`${name}: ${Math.round(rate)} messages/s${cost}`);
  }
}

/**
 * Connects many, 64 at a time, and keeps them: what each costs the proxy. Memory is counted of the second half: by then V8 has
 * the room for new objects, and the code is compiled, which is no connection's. How far all of it grew is said beside.
 */
async function measureConnections(way: Way, count: number, proxy: MeasuredProcess): Promise<void> {
  const devices: RawDevice[] = [];
  const idle = proxy.residentKiB();
  await connectUntil(count >> 1, way, devices);
  const before = { count: devices.length, live: await proxy.liveKiB(), resident: proxy.residentKiB() };
  const [cpu, begin] = [proxy.cpuSeconds(), performance.now()];
  await connectUntil(count, way, devices);
  const rate = (count - before.count) / ((performance.now() - begin) / 1_000);
  const cpuMicros = (1e6 * (proxy.cpuSeconds() - cpu)) / (count - before.count);
  await pause(1);
  const resident = proxy.residentKiB();
  const each = (more: number) => (more / (count - before.count)).toFixed(1);
  say(
    `${count} connections, ${way.name}: ${each(resident - before.resident)} KiB resident each, ` +
      `of which ${each((await proxy.liveKiB()) - before.live)} KiB V8's; all of it grew by ${Math.round((resident - idle) / 1024)} MiB; ` +
      `${Math.round(rate)} connects/s, ${Math.round(cpuMicros)} µs of CPU each`,
  );
  for (const device of devices) device.close();
  await pause(1);
}

async function connectUntil(count: number, way: Way, devices: RawDevice[]): Promise<void> {
  let next = devices.length;
  const connectSome = async (): Promise<void> => {
    while (next < count) {
      const name = way.clientId(`c${next++}`);
      const device = await openDevice(way, name, () => {});
      devices.push(device);
      await device.subscribe(way.topic(way.down(name)));
    }
  };
  await Promise.all(Array.from({ length: 64 }, connectSome));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function waysOf(service: Target, ports: Of<number>): Of<Way> {
  const plain = {
    up: (id: string) => `up/${id}/`,
    down: (id: string) => `down/${id}/`,
    topic: (prefix: string) => `${prefix}m`,
  };
  const tree = {
    up: (id: string) => treeUplinkPrefix(mountpointOf(id)),
    down: mountpointOf,
    topic: () => "m",
  };
  const login = { username: "alice", password: "secret" };
  const wayOf = (name: WayName): Way => {
    const isTree = name.startsWith("tree");
    return {
      ...(name === "broker" || name === "pass" ? service : login),
      ...(isTree ? tree : plain),
      name,
      port: ports[name],
      clientId: (device) => `${isTree ? treeClients : ""}${device}:${wayNames.indexOf(name)}`,
    };
  };
  return Object.fromEntries(wayNames.map((name) => [name, wayOf(name)])) as Of<Way>;
}

async function run(scope: { after(fn: () => unknown): void }): Promise<void> {
  const { mosquitto } = await startServers(scope, { mosquitto: { settings: ["persistence false"] } });
  const { url: brokerUrl, password, username, port } = mosquitto;
  const start = (name: WayName, profile = false): Promise<MeasuredProcess> => {
    if (name === "pass") return startPassThrough(scope, port);
    const started = { brokerUrl, password, profile };
    if (!before.some((one) => one === name)) return startEdgeProcess(scope, started);
    const flags = options["against-flags"]?.split(" ");
    return startEdgeProcess(scope, { ...started, checkout: options.against, ...(flags && { flags }) });
  };
  const edge = await start("native", options.profile);
  const proxies: Partial<Of<MeasuredProcess>> = { pass: await start("pass"), native: edge, tree: edge };
  if (options.against !== undefined) {
    const edgeBefore = await start("native before");
    for (const name of before) proxies[name] = edgeBefore;
  }
  const service = { name: "service", port, username, password };
  const ports = Object.fromEntries(wayNames.map((name) => [name, proxies[name]?.port ?? port])) as Of<number>;
  const ways = waysOf(service, ports);
  const loads = {} as Of<Load>;
  for (const name of wayNames) loads[name] = await openLoad(ways[name], service);
  await measureLatency(loads, proxies);
  await measureRate(loads, proxies);
  for (const name of wayNames) loads[name].close();
  const connections = Number(options.connections);
  for (const name of wayNames) {
    if (connections === 0 || name === "broker") continue;
    const fresh = await start(name);
    await measureConnections({ ...ways[name], port: fresh.port }, connections, fresh);
  }
}

const closers: (() => unknown)[] = [];
try {
  await run({ after: (fn) => void closers.unshift(fn) });
} finally {
  for (const close of closers) await close();
}
