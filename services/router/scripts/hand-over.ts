// Figures of a hand-over: what a message takes while one of two routers (or histories) stops and comes back, under load.
// node services/router/scripts/hand-over.ts [--part router|history] [--how SIGTERM|SIGKILL] [--rate 200] [--rounds 3] [--debug]
import { parseArgs } from "node:util";
import { connectRedis, noticeChannel } from "@parley/runtime";
import { type Cluster, serviceContext, startTestCluster, testMongo } from "@parley/testkit";
import { connectPairs, latencies, outcomeOf, type Pair, startLoad } from "../test/pairs.ts";

const { values } = parseArgs({
  options: {
    part: { type: "string", default: "router" },
    how: { type: "string", default: "SIGTERM" },
    rate: { type: "string", default: "200" },
    rounds: { type: "string", default: "3" },
    debug: { type: "boolean", default: false },
  },
});
const part = values.part === "history" ? "history" : "router";
const how = values.how === "SIGKILL" ? "SIGKILL" : "SIGTERM";
const rate = Number(values.rate);
const settleMs = 2_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ms = (value: number) => value.toFixed(1).padStart(8);

function print(what: string, { messages, p50, p99, max }: ReturnType<typeof latencies>): void {
  console.log(`${what.padEnd(28)} ${String(messages).padStart(6)} ${ms(p50)} ${ms(p99)} ${ms(max)}`);
}

/** How long each lease is nobody's: from the word that it is free to the word that its next holder works. */
async function watchGaps(cluster: Cluster, kind: string) {
  const redis = await connectRedis({ url: cluster.wiring.urls.redis, log: serviceContext("hand-over").log });
  ends.unshift(() => redis.disconnect());
  const freedAt = new Map<string, number>();
  let gaps: number[] = [];
  redis.on("message", (_channel, text) => {
    const { freed = [], held = [] } = JSON.parse(text) as { freed?: string[]; held?: string[] };
    for (const key of freed) freedAt.set(key, performance.now());
    for (const key of held) {
      const at = freedAt.get(key);
      if (at !== undefined) gaps.push(performance.now() - at);
      freedAt.delete(key);
    }
  });
  await redis.subscribe(noticeChannel(kind));
  return {
    /** those since the last call */
    take() {
      const taken = gaps.sort((a, b) => a - b);
      gaps = [];
      return taken;
    },
  };
}

type Gaps = Awaited<ReturnType<typeof watchGaps>>;

function printGaps(gaps: Gaps): void {
  const taken = gaps.take();
  const at = (share: number) => ms(taken[Math.min(taken.length - 1, Math.floor(taken.length * share))] ?? Number.NaN);
  const name = "  a lease was nobody's for";
  if (taken.length > 0)
    console.log(`${name.padEnd(28)} ${String(taken.length).padStart(6)} ${at(0.5)} ${at(0.99)} ${at(1)}`);
}

async function measureRound(cluster: Cluster, pairs: readonly Pair[], gaps: Gaps): Promise<void> {
  const load = startLoad(pairs, rate);
  const marks = [performance.now()];
  const mark = () => marks.push(performance.now());
  await pause(settleMs * 2);
  mark();
  // A process that is killed is started again by the cluster; one that is stopped stays away.
  if (how === "SIGKILL") await cluster.kill(part, { index: 0 });
  else await cluster.stopPart(part, { index: 0 });
  if (how === "SIGKILL") await pause(6_000);
  const goneAfter = performance.now() - (marks.at(-1) as number);
  await pause(settleMs / 4);
  mark();
  printGaps(gaps);
  await pause(settleMs);
  mark();
  if (how === "SIGTERM") await cluster.startPart(part, { index: 0 });
  await cluster.waitReady(part);
  await pause(settleMs);
  mark();
  load.stop();
  const outcome = await outcomeOf(pairs);
  const phases = ["two", `one goes (${how}, ${Math.round(goneAfter)} ms)`, "one alone", "it comes back"];
  for (const [index, name] of phases.entries())
    print(name, latencies(pairs, marks[index] as number, marks[index + 1] as number));
  printGaps(gaps);
  console.log(JSON.stringify(outcome));
}

const ends: (() => unknown)[] = [];
const context = { after: (end: () => unknown) => void ends.unshift(end) };
try {
  const mongo = part === "history" ? await testMongo(context) : undefined;
  if (part === "history" && !mongo) throw new Error("two histories need MongoDB");
  const cluster = await startTestCluster(context, {
    parts: ["mosquitto", "redis-server", "nats-server", "history", "api", "router"],
    replicas: { [part]: 2 },
    ...(mongo ? { storeUrl: mongo.url } : {}),
    ...(values.debug ? { env: { PARLEY_LOG_LEVEL: "debug" } } : {}),
  });
  const pairs = await connectPairs(context, cluster);
  const gaps = await watchGaps(cluster, part === "router" ? "ingest" : "conversation");
  console.log(`${part}, ${rate} messages/s; delivery in ms`);
  console.log(
    `${"".padEnd(28)} ${"count".padStart(6)} ${["p50", "p99", "max"].map((name) => name.padStart(8)).join(" ")}`,
  );
  for (let round = 0; round < Number(values.rounds); round++) await measureRound(cluster, pairs, gaps);
} finally {
  for (const end of ends) await end();
}
