// `npm run soak`: half load for long, a look at every process every ten seconds, a verdict on memory, a table, a plot.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cluster, type Part, type Replicas, startCluster } from "@parley/testkit";
import { type Chat, startChat } from "./chat.ts";
import { plotSvg } from "./plot.ts";
import { type Soak, textOf, verdictOf } from "./report.ts";
import { type Sample, takeSample } from "./samples.ts";

const help = `npm run soak -- [options]

  --minutes N    how long (default 30)
  --rate N       messages a second (default: half of what a short calibration reaches)
  --people N     users, one device each (default 60)
  --store URL    sqlite:FOLDER or mongodb://… (default: SQLite in the cluster's own folder)
  --replicas N   of each service that may have several on that store (default 1)
  --json FILE    also write everything as JSON
  --plot FILE    also draw the memory of each process as SVG
  --help

Starts a cluster of its own in a temporary folder. Ends with 1 when memory grows, an acknowledged message is missing or a
process died. Ctrl-C ends it early with what it has.`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    rate: { type: "string" },
    people: { type: "string", default: "60" },
    store: { type: "string" },
    replicas: { type: "string", default: "1" },
    json: { type: "string" },
    plot: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

interface Wanted {
  minutes: number;
  rate: number | undefined;
  people: number;
  replicas: number;
}

const sampleEveryMs = 10_000;
const sayEveryMs = 60_000;
const calibrationSeconds = 10;
// Rates are counted against the generator's one address and few devices.
const env = {
  ...{
    ROUTER_RATE: "100000",
    ROUTER_BURST: "100000",
    EDGE_RATE_PACKETS: "100000",
    API_RATE: "100000",
    API_BURST: "100000",
  },
  ...{ AUTH_WEBHOOK_DEVICE_CONNECT_RATE: "1000000" },
};
const parts: readonly Part[] = ["history", "router", "presence", "search", "push", "api", "auth-webhook", "edge"];
const allParts: readonly Part[] = [...parts, "mosquitto", "nats-server", "redis-server"];

if (options.help) process.stdout.write(`${help}\n`);
else await main();

async function main(): Promise<void> {
  const wanted = {
    minutes: Number(options.minutes),
    rate: options.rate === undefined ? undefined : Number(options.rate),
    people: Number(options.people),
    replicas: Number(options.replicas),
  };
  const problem = problemOf(wanted);
  if (problem !== undefined) {
    process.stderr.write(`soak: ${problem}\n`);
    process.exitCode = 2;
    return;
  }
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const dir = await mkdtemp(join(tmpdir(), "parley-soak-"));
  say(`cluster in ${dir}`);
  const storeUrl = options.store ?? `sqlite:${join(dir, "data")}`;
  const cluster = await startCluster({
    dir,
    storeUrl,
    env,
    replicas: replicasOf(wanted, storeUrl),
    signal: stopping.signal,
  });
  let passed = false;
  try {
    const soak = await run(cluster, wanted, storeUrl, stopping.signal);
    await report(soak);
    const { whole, flat } = verdictOf(soak);
    passed = whole && flat !== false;
  } finally {
    await cluster.close();
  }
  if (passed) return rm(dir, { recursive: true, force: true });
  say(`not passed; logs in ${join(dir, "logs")}`);
  process.exitCode = 1;
}

async function run(cluster: Cluster, wanted: Wanted, storeUrl: string, signal: AbortSignal): Promise<Soak> {
  const chat = await startChat(cluster, wanted.people);
  try {
    const reached = wanted.rate === undefined ? await chat.calibrate(calibrationSeconds) : undefined;
    const rate = wanted.rate ?? Math.max(1, (reached ?? 0) / 2);
    say(`${rate.toFixed(0)} messages/s${reached === undefined ? "" : `, half of ${reached.toFixed(0)}`}`);
    const startedAt = performance.now();
    chat.run(rate);
    const samples = await watch(cluster, chat, wanted.minutes * 60, signal);
    const seconds = (performance.now() - startedAt) / 1_000;
    await chat.settle(60_000);
    say("comparing what was acknowledged with what is stored");
    const { sent, acknowledged } = chat.counts;
    return {
      at: new Date().toISOString(),
      machine: `Node ${process.versions.node}, ${availableParallelism()} cores, load generator included`,
      store: storeUrl.startsWith("sqlite:") ? "SQLite" : "MongoDB",
      ...{ reached, rate, seconds, counts: chat.counts, skipped: chat.skipped(), unanswered: sent - acknowledged },
      comparison: await chat.compare(),
      restarts: allParts.reduce((sum, part) => sum + cluster.restarts(part), 0),
      samples,
    };
  } finally {
    await chat.close();
  }
}

// Resolves after `seconds`, or when it is told to stop.
async function watch(cluster: Cluster, chat: Chat, seconds: number, signal: AbortSignal): Promise<Sample[]> {
  const samples: Sample[] = [];
  const startedAt = performance.now();
  let saidAt = startedAt;
  while (!signal.aborted) {
    const at = (performance.now() - startedAt) / 1_000;
    samples.push(await takeSample(cluster, at));
    if (at >= seconds) break;
    if (performance.now() - saidAt >= sayEveryMs) {
      saidAt = performance.now();
      say(progress(at, chat, samples.at(-1)));
    }
    await pause(Math.min(sampleEveryMs, 1_000 * (seconds - at)), signal);
  }
  return samples;
}

function progress(at: number, { counts }: Chat, sample: Sample | undefined): string {
  const memory = Object.entries(sample?.processes ?? {}).map(([name, { rssMiB }]) => `${name} ${rssMiB.toFixed(0)}`);
  return `${(at / 60).toFixed(0)} min: ${counts.sent} sent, ${counts.acknowledged} acknowledged; MiB: ${memory.join(", ")}`;
}

async function report(soak: Soak): Promise<void> {
  process.stdout.write(`\n${textOf(soak)}\n`);
  if (options.json) await writeFile(options.json, `${JSON.stringify(soak, null, 1)}\n`);
  if (!options.plot) return;
  const names = [...new Set(soak.samples.flatMap(({ processes }) => Object.keys(processes)))];
  const lines = names.map((name) => ({
    name,
    points: soak.samples.flatMap(({ at, processes }) => {
      const value = processes[name]?.rssMiB;
      return value === undefined ? [] : [{ at, value }];
    }),
  }));
  const title = `Memory at ${soak.rate.toFixed(0)} messages a second`;
  await writeFile(options.plot, plotSvg({ title, unit: "MiB", lines }));
}

function replicasOf({ replicas }: Wanted, storeUrl: string): Replicas {
  const stateless = { router: replicas, edge: replicas, "auth-webhook": replicas };
  if (storeUrl.startsWith("sqlite:")) return stateless;
  return { ...stateless, history: replicas, presence: replicas, search: replicas, push: replicas, api: replicas };
}

function problemOf({ minutes, rate, people, replicas }: Wanted): string | undefined {
  if (!(minutes > 0 && minutes <= 10_000)) return `--minutes ${options.minutes}: a number above 0`;
  if (rate !== undefined && !(rate >= 1 && rate <= 100_000)) return `--rate ${options.rate}: a number from 1 to 100000`;
  if (!(Number.isInteger(people) && people >= 3 && people <= 5_000))
    return `--people ${options.people}: a whole number from 3 to 5000`;
  if (!(Number.isInteger(replicas) && replicas >= 1 && replicas <= 8))
    return `--replicas ${options.replicas}: a whole number from 1 to 8`;
  return undefined;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} soak: ${line}\n`);
}
