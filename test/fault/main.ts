// `npm run fault`: the long run, faults drawn from a seed under load, and the ledger.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cluster, startCluster } from "@parley/testkit";
import { faults } from "./faults.ts";
import { ledgerOf, textOf } from "./ledger.ts";
import { type Round, runRound } from "./round.ts";
import { seeded } from "./seeded.ts";
import { storm } from "./storm.ts";
import type { Workload } from "./workload/workload.ts";

const help = `npm run fault -- [options]

  --minutes N   how long (default 30)
  --seed N      the same seed draws the same faults and messages (default: from the clock; it is printed)
  --rate N      messages a second, all senders together (default 100)
  --routers N   replicas of router, edge and auth-webhook (default 1)
  --json FILE   also write the ledger as JSON
  --help

Starts a cluster of its own in a temporary folder, kills and freezes its parts under load, and checks after every
round that nothing acknowledged was lost, doubled or reordered. Ends with 1 on any violation; the logs are then kept.`;

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    rate: { type: "string", default: "100" },
    routers: { type: "string", default: "1" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const roundMs = 60_000;
const progressMs = 10_000;
// One round in three with the broker killed too: then receivers may miss messages live, and have them by sync.
const brokerEvery = 3;
const gentle = faults.filter(({ breaksBroker }) => !breaksBroker);

if (options.help) process.stdout.write(`${help}\n`);
else await main();

async function main(): Promise<void> {
  const { routers, ...numbers } = {
    minutes: Number(options.minutes),
    seed: Number(options.seed),
    rate: Number(options.rate),
    routers: Number(options.routers),
  };
  if (!(numbers.minutes > 0 && numbers.minutes <= 10_000))
    return usage(`--minutes ${options.minutes}: a number above 0`);
  if (!Number.isSafeInteger(numbers.seed)) return usage(`--seed ${options.seed}: a whole number`);
  if (!(numbers.rate >= 1 && numbers.rate <= 2_000)) return usage(`--rate ${options.rate}: a number from 1 to 2000`);
  if (!(Number.isInteger(routers) && routers >= 1 && routers <= 8))
    return usage(`--routers ${options.routers}: a whole number from 1 to 8`);
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const dir = await mkdtemp(join(tmpdir(), "parley-fault-"));
  say(`seed ${numbers.seed}, cluster in ${dir}`);
  const cluster = await startCluster({
    dir,
    replicas: { router: routers, edge: routers, "auth-webhook": routers },
    signal: stopping.signal,
  });
  const startedAt = performance.now();
  let rounds: Round[] = [];
  try {
    rounds = await runRounds(cluster, numbers, stopping.signal);
  } finally {
    await cluster.close();
  }
  const ledger = ledgerOf(numbers.seed, (performance.now() - startedAt) / 1_000, rounds);
  process.stdout.write(`\n${textOf(ledger)}\n`);
  if (options.json) await writeFile(options.json, `${JSON.stringify(ledger, null, 2)}\n`);
  if (ledger.violations.length === 0) return rm(dir, { recursive: true, force: true });
  say(
    `${ledger.violations.length} violations; replay with --seed ${numbers.seed} --minutes ${numbers.minutes} --rate ${numbers.rate}; logs in ${join(dir, "logs")}`,
  );
  process.exitCode = 1;
}

async function runRounds(
  cluster: Cluster,
  { minutes, seed, rate }: { minutes: number; seed: number; rate: number },
  signal: AbortSignal,
): Promise<Round[]> {
  const rounds: Round[] = [];
  const until = performance.now() + minutes * 60_000;
  const chance = seeded(seed);
  while (performance.now() < until && !signal.aborted) {
    const index = rounds.length;
    const random = chance.fork(`round ${index}`);
    const left = until - performance.now();
    const pool = index % brokerEvery === brokerEvery - 1 ? faults : gentle;
    const forMs = Math.min(roundMs, left);
    const weather = storm(cluster, { random: random.fork("faults"), faults: pool, forMs, say, signal });
    const round = await runRound(cluster, { name: `r${index}-`, random, perSecond: rate }, (workload) =>
      withProgress(index, workload, () => weather(workload)),
    );
    rounds.push(round);
    say(`round ${index + 1}: ${round.sent} sent, ${round.stored} stored, ${round.violations.length} violations`);
    for (const { rule, what } of round.violations.slice(0, 10)) say(`  ${rule}: ${what}`);
  }
  return rounds;
}

async function withProgress<T>(index: number, workload: Workload, work: () => Promise<T>): Promise<T> {
  const tell = () => say(`round ${index + 1}: ${workload.sent()} sent, ${workload.acknowledged()} acknowledged`);
  const timer = setInterval(tell, progressMs);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} fault: ${line}\n`);
}

function usage(problem: string): void {
  process.stderr.write(`fault: ${problem}\n`);
  process.exitCode = 2;
}
