// A replica that stops as it is told, and comes back: what messages take meanwhile, and whether any is lost.
import type { Cluster, Part } from "@parley/testkit";
import { noMongo, warningOf, withMongo } from "../mongo.ts";
import { type Latency, openLoop } from "../open-loop.ts";
import type { Pair } from "../pairs.ts";
import { makePeople } from "../people.ts";
import { pause } from "../saturate.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";
import { closePairs, openPairs } from "./pairs.ts";

const pairsMax = 64;
const rate = 300;
const targetMs = 250;
const settleSeconds = 2;
// What was sent just before it ended belongs to the hand-over too.
const afterSeconds = 0.3;

export const handOver: Scenario = {
  does: "SIGTERM of one of two replicas under load: delivery meanwhile, against the same traffic undisturbed",
  run: async (bench) => [await measureHandOvers(bench)],
};

type Row = { what: string; quiet: Latency; busy: Latency };

async function measureHandOvers(bench: Bench): Promise<Section> {
  const rows = await bench.withCluster({ replicas: { router: 2 } }, (cluster) =>
    measurePart(bench, cluster, "router", "router (SQLite)"),
  );
  const onMongo = await withMongo(async ({ url, kind }) => ({
    kind,
    rows: await bench.withCluster({ storeUrl: url, replicas: { history: 2 } }, (cluster) =>
      measurePart(bench, cluster, "history", "history (MongoDB)"),
    ),
  }));
  const all = [...rows, ...(onMongo?.rows ?? [])];
  return {
    title: "Hand-over",
    notes: [
      `One of two replicas gets SIGTERM while ${rate} messages a second go 1:1 on the broker itself, and is started again; measured from the signal until the process is gone, and from the start until it is ready and shares are even again.`,
      "The baseline is the same traffic just before. missing: not acknowledged or not delivered 10 s after the end.",
      onMongo ? warningOf(onMongo.kind) : noMongo,
    ],
    figures: all.map(({ what, quiet, busy }): Figure => {
      const met = bench.quick ? undefined : busy.delivery.p99 <= targetMs && busy.missing === 0;
      const target = { text: `≤ ${targetMs} ms, 0 missing`, met };
      return {
        what: `${what}, p99`,
        value: busy.delivery.p99,
        unit: "ms",
        baseline: { what: "undisturbed", value: quiet.delivery.p99 },
        target,
      };
    }),
    tables: [
      {
        head: ["", "p50 ms", "p99 ms", "p99.9 ms", "longest ms", "missing"],
        rows: all.map(({ what, busy: { delivery, missing } }): Table["rows"][number] => [
          what,
          delivery.p50,
          delivery.p99,
          delivery.p999,
          delivery.max,
          missing,
        ]),
      },
    ],
  };
}

async function measurePart(bench: Bench, cluster: Cluster, part: Part, name: string): Promise<Row[]> {
  const people = await makePeople(cluster, pairsMax);
  const pairs = await openPairs(cluster, people, "broker", "parley", pairsMax);
  const rows: Row[] = [];
  const rounds = sized(bench, 3, 1);
  for (let round = 1; round <= rounds; round++) {
    const quiet = await openLoop(pairs, { rate, warmupSeconds: settleSeconds, seconds: bench.seconds });
    const away = await disturbed(pairs, () => cluster.stopPart(part, { index: 0 }));
    const back = await disturbed(pairs, async () => {
      await cluster.startPart(part, { index: 0 });
      await cluster.waitReady(part);
      // Its share of the leases comes to it little by little.
      await pause(settleSeconds);
    });
    bench.say(
      `${name}: goes p99 ${away.delivery.p99} ms, comes back p99 ${back.delivery.p99} ms, missing ${away.missing + back.missing}`,
    );
    rows.push(
      { what: `${name} goes, ${round}`, quiet, busy: away },
      { what: `${name} comes back, ${round}`, quiet, busy: back },
    );
  }
  await closePairs(pairs);
  return rows;
}

function disturbed(pairs: readonly Pair[], how: () => Promise<unknown>): Promise<Latency> {
  const during = async () => {
    await how();
    await pause(afterSeconds);
  };
  return openLoop(pairs, { rate, warmupSeconds: settleSeconds, seconds: 0, during });
}
