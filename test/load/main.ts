// `npm run bench`: the path's figures on this machine's real servers, each beside the raw broker's in the same run.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { readSecrets } from "@parley/runtime";
import { type Cluster, startCluster } from "@parley/testkit";
import { benchHooks } from "../../services/auth-webhook/scripts/hooks-bench.ts";
import { measureConnections } from "./connections.ts";
import { openLoop } from "./open-loop.ts";
import { type Mode, openPair, type Pair } from "./pairs.ts";
import { makePeople, type People } from "./people.ts";
import { cpuMicros, difference } from "./processes.ts";
import { type Figures, type LatencyRow, type RateRow, reportOf, type Way } from "./report.ts";
import { saturate } from "./saturate.ts";

const help = `npm run bench -- [options]

  --seconds N   how long each figure is measured (default 8)
  --way W       broker, edge or both (default both)
  --only LIST   of rates,latency,connections,hooks (default all)
  --in-flight L in flight at the rates (default 1,32,320,1000)
  --json FILE   also write the figures as JSON
  --help

Starts a cluster of its own in a temporary folder, with the device's rate limit lifted. Nothing else should run meanwhile.`;

const { values: options } = parseArgs({
  options: {
    seconds: { type: "string", default: "8" },
    way: { type: "string", default: "both" },
    only: { type: "string", default: "rates,latency,connections,hooks" },
    "in-flight": { type: "string", default: "1,32,320,1000" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const pairsMax = 64;
const rates = [2_000, 4_000];
const unlimited = {
  ROUTER_RATE: "1000000",
  ROUTER_BURST: "1000000",
  AUTH_WEBHOOK_CONNECT_RATE: "1000000000",
  AUTH_WEBHOOK_USER_CONNECT_RATE: "1000000000",
  PARLEY_LOG_LEVEL: "warn",
};
const hookConnections = 32;

if (options.help) process.stdout.write(`${help}\n`);
else await main();

async function main(): Promise<void> {
  const seconds = Number(options.seconds);
  if (!(seconds >= 1 && seconds <= 600)) return usage(`--seconds ${options.seconds}: a number from 1 to 600`);
  if (!["broker", "edge", "both"].includes(options.way)) return usage(`--way ${options.way}: broker, edge or both`);
  const dir = await mkdtemp(join(tmpdir(), "parley-bench-"));
  say("starting a cluster");
  const cluster = await startCluster({ dir, env: unlimited });
  try {
    const people = await makePeople(cluster.run().http, cluster.servicesSecret, pairsMax);
    const ways = (["broker", "edge"] as const).filter((way) => options.way === "both" || options.way === way);
    const figures = await measure(cluster, people, ways, seconds);
    process.stdout.write(`\n${reportOf(figures)}\n`);
    if (options.json) await writeFile(options.json, `${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await cluster.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function measure(cluster: Cluster, people: People, ways: readonly Way[], seconds: number): Promise<Figures> {
  const wanted = options.only.split(",");
  const rateRows: RateRow[] = [];
  const latencyRows: LatencyRow[] = [];
  for (const way of ways) {
    const inFlights = wanted.includes("rates") ? options["in-flight"].split(",").map(Number) : [];
    for (const inFlight of inFlights) rateRows.push(await rateRow(cluster, people, way, inFlight, seconds));
    for (const rate of wanted.includes("latency") ? rates : [])
      latencyRows.push(await latencyRow(cluster, people, way, rate, seconds));
  }
  const memory = wanted.includes("connections") ? await measureConnections(cluster, people) : undefined;
  return {
    at: new Date().toISOString(),
    node: process.versions.node,
    cores: availableParallelism(),
    rates: rateRows,
    latencies: latencyRows,
    memory,
    hooks: wanted.includes("hooks") ? await hookFigures(cluster, seconds) : [],
  };
}

async function rateRow(
  cluster: Cluster,
  people: People,
  way: Way,
  inFlight: number,
  seconds: number,
): Promise<RateRow> {
  const rateOf = async (mode: Mode) => {
    const pairs = await openPairs(cluster, people, way, mode, Math.min(inFlight, pairsMax));
    const sample = () => cpuMicros(cluster.run().processes);
    const { perSecond, messages, before, after } = await saturate(pairs, {
      inFlight,
      warmupSeconds: 2,
      seconds,
      sample,
    });
    await closePairs(pairs);
    return { perSecond, cpu: difference(after, before, messages) };
  };
  const raw = await rateOf("raw");
  const parley = await rateOf("parley");
  say(`${way}, ${inFlight} in flight: ${Math.round(parley.perSecond)}/s (raw ${Math.round(raw.perSecond)}/s)`);
  return { inFlight, way, parley: parley.perSecond, raw: raw.perSecond, cpu: parley.cpu };
}

// Devices of the cluster's own presence, tokens new to it: what a storm of first connects costs.
async function hookFigures(cluster: Cluster, seconds: number): Promise<Figures["hooks"]> {
  const [webhook] = cluster.wiring.replicas["auth-webhook"];
  const secrets = readSecrets(join(cluster.dir, "secrets"));
  const url = `http://127.0.0.1:${webhook?.hooks}`;
  return benchHooks({ url, secrets, connections: hookConnections, seconds, devices: 2_000 });
}

async function latencyRow(
  cluster: Cluster,
  people: People,
  way: Way,
  rate: number,
  seconds: number,
): Promise<LatencyRow> {
  const latencyOf = async (mode: Mode) => {
    const pairs = await openPairs(cluster, people, way, mode, pairsMax);
    const latency = await openLoop(pairs, { rate, warmupSeconds: 5, seconds });
    await closePairs(pairs);
    return latency;
  };
  const raw = await latencyOf("raw");
  const parley = await latencyOf("parley");
  say(
    `${way}, ${rate}/s: delivery p50 ${parley.delivery.p50} ms, p99 ${parley.delivery.p99} ms (raw ${raw.delivery.p50}, ${raw.delivery.p99})`,
  );
  return { rate, way, parley, raw };
}

function openPairs(cluster: Cluster, people: People, way: Way, mode: Mode, count: number): Promise<Pair[]> {
  const { host, port } = cluster.run().mqtt;
  // Raw is always the broker's own port: no hook would let a device publish to another's topic.
  const atBroker = way === "broker" || mode === "raw";
  const url = atBroker ? cluster.wiring.urls.broker : `mqtt://${host}:${port}`;
  return Promise.all(
    Array.from({ length: count }, (_, index) =>
      openPair({ mode, url, index, ...(atBroker ? people.atBroker(index) : people.throughEdge(index)) }),
    ),
  );
}

async function closePairs(pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.map((pair) => pair.close()));
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

function usage(problem: string): void {
  process.stderr.write(`bench: ${problem}\n`);
  process.exitCode = 2;
}
