// Two of a service against one of it, on the same machine and with the same traffic.
import type { ClusterOptions } from "@parley/testkit";
import { noMongo, warningOf, withMongo } from "../mongo.ts";
import { type Bench, type Figure, type Scenario, type Section, sized, type Table } from "../scenario.ts";
import { compared, cpuTable, measureTraffic, type Traffic } from "../traffic.ts";

const rate = 200;

export const replicas: Scenario = {
  does: "two routers, and on MongoDB two histories, against one of each",
  run: async (bench) => [await measureReplicas(bench)],
};

async function measureReplicas(bench: Bench): Promise<Section> {
  const figures: Figure[] = [];
  const rows: Parameters<typeof cpuTable>[0][number][] = [];
  const notes = [
    "64 pairs on the broker itself. On a machine whose cores one of each service fills already, a second replica cannot add to the rate: the ratio then shows what being two costs.",
  ];
  const measure = async (what: string, options: Partial<ClusterOptions>): Promise<Traffic> => {
    bench.say(what);
    const load = { inFlights: sized(bench, [32, 320], [32]), rate };
    const traffic = await bench.withCluster(options, (cluster) => measureTraffic(bench, cluster, load));
    rows.push({ what, traffic });
    return traffic;
  };
  const beside = (what: string, traffic: Traffic, one: Traffic) =>
    figures.push(...compared(what, traffic, { what: "one of each", traffic: one }, rate));

  const one = await measure("SQLite, one of each", {});
  beside("SQLite, two routers", await measure("SQLite, two routers", { replicas: { router: 2 } }), one);
  const kind = await withMongo(async (mongo) => {
    const oneOnMongo = await measure("MongoDB, one of each", { storeUrl: mongo.url });
    await withMongo(async ({ url }) => {
      const what = "MongoDB, two routers and two histories";
      beside(what, await measure(what, { storeUrl: url, replicas: { router: 2, history: 2 } }), oneOnMongo);
    });
    return mongo.kind;
  });
  const tables: Table[] = [cpuTable(rows)];
  return { title: "Replicas", notes: [...notes, kind ? warningOf(kind) : noMongo], figures, tables };
}
