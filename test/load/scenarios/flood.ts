// One user who means harm beside honest pairs: what each of its attacks does to how long the others wait.
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Cluster } from "@parley/testkit";
import { attacks } from "../../hostile/attacks.ts";
import { type HostileOptions, startHostile } from "../../hostile/hostile.ts";
import { type Latency, openLoop } from "../open-loop.ts";
import { senderUid } from "../pairs.ts";
import { logIn, makeKey, makePeople, makeUsers, type People } from "../people.ts";
import { type Bench, type Figure, type Scenario, type Section, sized } from "../scenario.ts";
import { closePairs, openPairs } from "./pairs.ts";

const pairsMax = 16;
const perSecond = 500;
const mostTimes = 2;
const uid = "mallory";
const socketsOnly = "silent sockets";
// The bench lifts these for its own load; here they are what is measured, as far as honest devices never meet them.
const defaults = { ROUTER_RATE: "100", ROUTER_BURST: "1000", EDGE_RATE_PACKETS: "400", EDGE_RATE_BYTES: "1048576" };

export const flood: Scenario = {
  does: "what floods, wrong passwords, silent sockets and the like of one user cost the others",
  run: (bench) => bench.withCluster({ env: defaults }, async (cluster) => [await measureAttacks(bench, cluster)]),
};

async function measureAttacks(bench: Bench, cluster: Cluster): Promise<Section> {
  const people = await makePeople(cluster, pairsMax);
  const key = await makeKey(cluster);
  const { http } = cluster.run();
  await makeUsers(http, key, [uid]);
  const login = (device: string) => logIn(http, key, uid, device);
  const bare = await startBareServer();
  const elsewhere = async (device: string) => {
    const session = await login(device);
    return { ...session, mqtt: { ...session.mqtt, port: bare.port } };
  };
  const figures: Figure[] = [];
  const underAttack = async (options: Pick<HostileOptions, "login"> & { name: string }) => {
    const hostile = await startHostile({ http, victim: senderUid(0), login: options.login, attacks: [options.name] });
    return latencyOf(bench, cluster, people).finally(() => hostile.end());
  };
  for (const name of Object.keys(attacks)) {
    const before = await latencyOf(bench, cluster, people);
    const during = await underAttack({ login, name });
    const [calm, attacked] = [before.delivery.p99, during.delivery.p99];
    bench.say(`${name}: p99 ${attacked} ms (undisturbed ${calm} ms), missing ${during.missing}`);
    const met = bench.quick ? undefined : attacked <= mostTimes * calm && during.missing === 0;
    const baseline = { what: "undisturbed", value: calm };
    const target = { text: `≤ ${mostTimes} ×`, met };
    figures.push({ what: `${name}, p99`, value: attacked, unit: "ms", baseline, target });
  }
  const calm = await latencyOf(bench, cluster, people);
  const floor = await underAttack({ login: elsewhere, name: socketsOnly }).finally(bare.end);
  figures.push({
    what: `${socketsOnly} at a server that does nothing, p99`,
    value: floor.delivery.p99,
    unit: "ms",
    baseline: { what: "undisturbed", value: calm.delivery.p99 },
  });
  return {
    title: "One user who means harm, beside others",
    notes: [
      `${pairsMax} honest pairs send ${perSecond} messages a second through the edge; a process of its own, at the lowest priority, does one thing after the other.`,
      "The load generator shares the machine: what the hostile process itself costs is in the figures. The last row is that cost alone.",
    ],
    figures,
  };
}

async function latencyOf(bench: Bench, cluster: Cluster, people: People): Promise<Latency> {
  const open = await openPairs(cluster, people, "edge", "parley", sized(bench, pairsMax, 4));
  const latency = await openLoop(open, { rate: perSecond, warmupSeconds: 1, seconds: bench.seconds });
  await closePairs(open);
  return latency;
}

/** Somebody else's server on this machine. */
async function startBareServer(): Promise<{ port: number; end(): void }> {
  const child = fork(join(import.meta.dirname, "../bare-server.ts"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [port] = (await once(child, "message")) as [number];
  return { port, end: () => void child.kill("SIGKILL") };
}
