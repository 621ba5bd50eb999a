// The same path on both engines, side by side.
import { noMongo, warningOf, withMongo } from "../mongo.ts";
import { type Bench, type Scenario, type Section, sized } from "../scenario.ts";
import { compared, cpuTable, measureTraffic } from "../traffic.ts";

const rate = 200;

export const engines: Scenario = {
  does: "the 1:1 path on MongoDB against the same on SQLite",
  run: async (bench) => [await measureEngines(bench)],
};

async function measureEngines(bench: Bench): Promise<Section> {
  const load = { inFlights: sized(bench, [1, 32, 320], [32]), rate };
  const notes = [
    "One of each service; 64 pairs on the broker itself; a message counts when it is stored and delivered.",
  ];
  bench.say("on SQLite");
  const sqlite = await bench.withCluster({}, (cluster) => measureTraffic(bench, cluster, load));
  const found = await withMongo(async ({ url, kind }) => {
    bench.say(`on MongoDB (${kind})`);
    const traffic = await bench.withCluster({ storeUrl: url }, (cluster) => measureTraffic(bench, cluster, load));
    return { traffic, kind };
  });
  if (!found) return { title: "Engines", notes: [...notes, noMongo], figures: [] };
  const baseline = { what: "SQLite", traffic: sqlite };
  return {
    title: "Engines",
    notes: [...notes, warningOf(found.kind)],
    figures: compared(`on ${found.kind}`, found.traffic, baseline, rate),
    tables: [cpuTable([baseline, { what: found.kind, traffic: found.traffic }])],
  };
}
