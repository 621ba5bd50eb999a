// Thousands of devices held through the edges: their memory, and a storm of all of them coming back at once.
import { join } from "node:path";
import { deviceTopics } from "@parley/protocol";
import { ingestPartition } from "@parley/protocol/partition";
import { readSecrets } from "@parley/runtime";
import type { Cluster } from "@parley/testkit";
import { SignJWT } from "jose";
import { type Crowd, openCrowd, percentile, type Storm } from "../crowd/crowd.ts";
import type { CrowdLogin } from "../crowd/device.ts";
import { type ByPart, cpuMicros, difference, residentMiB } from "../processes.ts";
import { pause } from "../saturate.ts";
import type { Bench, Figure, Scenario, Section, Table } from "../scenario.ts";

const edges = 2;
const together = 200;
const settleSeconds = 3;

export const connections: Scenario = {
  does: "10,000 devices held through two edges, their memory, and storms of all of them reconnecting",
  run: async (bench) => [await measure(bench)],
};

interface Held {
  storms: Record<string, Storm>;
  perThousandMiB: ByPart;
  /** µs a device of the storm in which all drop */
  cpu: ByPart;
}

async function measure(bench: Bench): Promise<Section> {
  const count = bench.devices;
  const raw = await bench.withCluster({ parts: ["mosquitto"] }, (cluster) =>
    hold(bench, cluster, atBroker(cluster, count), false),
  );
  const parley = await bench.withCluster({ replicas: { edge: edges } }, async (cluster) =>
    hold(bench, cluster, await throughEdges(cluster, count), true),
  );
  const rawStorm = raw.storms["all drop"] as Storm;
  const figures = Object.entries(parley.storms).flatMap(([what, storm]): Figure[] => {
    const baseline = what === "connect" ? (raw.storms.connect as Storm) : rawStorm;
    const beside = (value: number) => ({ what: "raw broker", value });
    return [
      {
        what: `${what}: all are back`,
        value: storm.allBackMs / 1_000,
        unit: "s",
        baseline: beside(baseline.allBackMs / 1_000),
      },
      {
        what: `${what}: login p99`,
        value: percentile(storm.logins, 0.99),
        unit: "ms",
        baseline: beside(percentile(baseline.logins, 0.99)),
      },
    ];
  });
  return sectionOf(count, figures, { raw, parley });
}

function sectionOf(count: number, figures: Figure[], { raw, parley }: { raw: Held; parley: Held }): Section {
  const rowsOf = (whose: string, { storms }: Held): Table["rows"] =>
    Object.entries(storms).map(([what, { logins, back, refused, closed, allBackMs }]) => [
      `${whose}, ${what}`,
      percentile(logins, 0.5),
      percentile(logins, 0.99),
      percentile(back, 0.5),
      allBackMs,
      refusals(refused),
      closed,
    ]);
  const parts = Object.keys(parley.perThousandMiB).filter((part) => part !== "generator");
  return {
    title: `${count} connections`,
    notes: [
      `${count} users with a device each, connected by token through ${edges} edges (MQTT 3.1.1), each subscribed to its three topics.`,
      `connect: ${together} at a time. all drop: every device cuts its connection and connects again at once. edges killed: kill -9 of both edges, started again by the supervisor.`,
      "A device that is refused (3: unavailable, 5: not authorized) tries again after one to two seconds. login: from the TCP connect to the SUBACK, of attempts that succeeded.",
      "The raw broker: the same number of connects with the services' password at its own port, the same subscriptions; no token, no hook, no presence.",
    ],
    figures,
    tables: [
      {
        head: ["", "login p50 ms", "login p99 ms", "back p50 ms", "all back ms", "refused", "closed unanswered"],
        rows: [...rowsOf("raw broker", raw), ...rowsOf("Parley", parley)],
      },
      {
        head: ["more per 1,000 connections, MiB", ...parts],
        rows: [
          ["raw broker", ...parts.map((part) => raw.perThousandMiB[part] ?? 0)],
          ["Parley", ...parts.map((part) => parley.perThousandMiB[part] ?? 0)],
        ],
      },
      cpuTable({ "raw broker": raw.cpu, Parley: parley.cpu }),
    ],
  };
}

async function hold(bench: Bench, cluster: Cluster, logins: readonly CrowdLogin[], edged: boolean): Promise<Held> {
  const whose = edged ? "Parley" : "raw broker";
  await pause(settleSeconds);
  const before = residentMiB(cluster.run().processes);
  const { crowd, connected } = await openCrowd(logins, together);
  try {
    bench.say(`${whose}: ${logins.length} connected in ${Math.round(connected.allBackMs)} ms`);
    await pause(settleSeconds);
    const perThousandMiB = difference(residentMiB(cluster.run().processes), before, logins.length / 1_000);
    const { storm, cpu } = await cutAll(cluster, crowd, logins.length);
    const storms: Held["storms"] = { connect: connected, "all drop": storm };
    bench.say(`${whose}: all are back after ${Math.round(storm.allBackMs)} ms`);
    if (!edged) return { storms, perThousandMiB, cpu };
    await pause(settleSeconds);
    const killAll = () => Promise.all(Array.from({ length: edges }, (_, index) => cluster.kill("edge", { index })));
    storms["edges killed"] = await crowd.whenCut(killAll);
    bench.say(`${whose}: edges killed, all are back after ${Math.round(storms["edges killed"].allBackMs)} ms`);
    return { storms, perThousandMiB, cpu };
  } finally {
    await crowd.close();
  }
}

/** What is told of sessions behind their logins is counted as well. */
async function cutAll(cluster: Cluster, crowd: Crowd, devices: number): Promise<{ storm: Storm; cpu: ByPart }> {
  const used = () => cpuMicros({ ...cluster.run().processes, devices: crowd.pids });
  const before = used();
  const storm = await crowd.cut();
  await pause(settleSeconds);
  return { storm, cpu: difference(used(), before, devices) };
}

function cpuTable(whose: Record<string, ByPart>): Table {
  const parts = [...new Set(Object.values(whose).flatMap((cpu) => Object.keys(cpu)))];
  return {
    head: ["CPU µs a device that is cut and comes back", ...parts],
    rows: Object.entries(whose).map(([name, cpu]) => [name, ...parts.map((part) => cpu[part] ?? 0)]),
  };
}

function refusals(refused: Storm["refused"]): string {
  const all = Object.entries(refused).map(([code, count]) => `${count} (code ${code})`);
  return all.length > 0 ? all.join(", ") : "0";
}

function atBroker(cluster: Cluster, count: number): CrowdLogin[] {
  const port = Number(new URL(cluster.wiring.urls.broker).port);
  const login = { port, username: "parley", password: cluster.servicesSecret };
  return Array.from({ length: count }, (_, index) => ({ ...login, ...deviceOf(`raw${index}`) }));
}

// At the edges' own ports, by turns, as a balancer in front of them would.
function throughEdges(cluster: Cluster, count: number): Promise<CrowdLogin[]> {
  const { signingKey } = readSecrets(join(cluster.dir, "secrets"));
  const ports = cluster.wiring.replicas.edge.map(({ mqtt }) => mqtt ?? 0);
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const username = `crowd${index}`;
      const device = deviceOf(username);
      const password = await signToken(signingKey, username, device.clientId);
      return { port: ports[index % ports.length] ?? 0, username, password, ...device };
    }),
  );
}

function deviceOf(uid: string): { clientId: string; topics: string[] } {
  const clientId = `${uid}:bench`;
  return { clientId, topics: deviceTopics(ingestPartition(clientId), uid, clientId).subscribe };
}

function signToken(key: Uint8Array, sub: string, clientId: string): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { sub, clientId, jti: clientId, iat: now, exp: now + 86_400 };
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(key);
}
