// Readiness: who cannot do its work says so and why, everybody else stays ready, and all are back by themselves.
import { type TestContext, test } from "node:test";
import { type Cluster, eventually, readLog, startTestCluster, testMongo } from "@parley/testkit";

const services = ["history", "presence", "search", "push", "auth-webhook", "api", "router", "edge"] as const;
type ServiceName = (typeof services)[number];

interface Outage {
  what: string;
  begin(cluster: Cluster): Promise<unknown> | unknown;
  end(cluster: Cluster): Promise<unknown> | unknown;
  /** who is not ready then, and why */
  unready: Partial<Record<ServiceName, RegExp>>;
}

const outages: Outage[] = [
  {
    what: "NATS hangs",
    begin: (cluster) => cluster.pause("nats-server"),
    end: (cluster) => cluster.resume("nats-server"),
    unready: {
      history: /nats: not connected/,
      presence: /nats: not connected/,
      search: /nats: not connected/,
      push: /nats: not connected/,
      "auth-webhook": /nats: not connected/,
      api: /nats: not connected/,
      router: /nats: not connected/,
    },
  },
  {
    what: "Redis hangs, and everybody has noticed",
    async begin(cluster) {
      await cluster.pause("redis-server");
      const noticed = async (service: ServiceName) => (await readLog(cluster, service)).includes("redis_lost");
      for (const service of services.filter((one) => !["edge", "search", "push"].includes(one)))
        await eventually(() => noticed(service), { intervalMs: 200 });
    },
    end: (cluster) => cluster.resume("redis-server"),
    unready: {},
  },
  {
    what: "the broker hangs",
    begin: (cluster) => cluster.pause("mosquitto"),
    end: (cluster) => cluster.resume("mosquitto"),
    unready: { router: /broker: the broker does not answer/, edge: /broker: / },
  },
  {
    what: "auth-webhook is gone",
    begin: (cluster) => cluster.stopPart("auth-webhook"),
    end: (cluster) => cluster.startPart("auth-webhook"),
    unready: { "auth-webhook": /does not answer at all/, edge: /hooks: auth-webhook does not answer/ },
  },
  {
    what: "history is gone",
    begin: (cluster) => cluster.stopPart("history"),
    end: (cluster) => cluster.startPart("history"),
    unready: { history: /does not answer at all/, router: /history: history does not answer/ },
  },
];

const owners = ["history", "presence", "search", "push", "api"] as const;
const storeAway: Outage = {
  what: "the store is away",
  begin: (cluster) => owners.map((part) => cluster.link(part, "store").cut()),
  end: (cluster) => owners.map((part) => cluster.link(part, "store").pass()),
  unready: { history: /store: /, presence: /store: /, search: /store: /, push: /store: /, api: /store: / },
};

test("a service that cannot do its work is not ready and says why, and is ready again by itself", async (t) => {
  const mongo = await testMongo(t);
  const cluster = await startTestCluster(t, mongo ? { links: true, storeUrl: mongo.url } : {});
  for (const outage of mongo ? [...outages, storeAway] : outages) await live(t, cluster, outage);
});

async function live(t: TestContext, cluster: Cluster, { what, begin, end, unready }: Outage): Promise<void> {
  await t.test(`${what}: ${Object.keys(unready).join(", ") || "nobody"} cannot work`, async () => {
    await begin(cluster);
    await eventually(() => expected(cluster, unready), { intervalMs: 200 });
    await end(cluster);
    await eventually(() => expected(cluster, {}), { intervalMs: 200 });
  });
}

// Throws what is not as it should be, of all services together.
async function expected(cluster: Cluster, unready: Outage["unready"]): Promise<true> {
  const found = await Promise.all(services.map(async (service) => ({ service, says: await ask(cluster, service) })));
  const wrong = found.filter(({ service, says }) => !(unready[service] ?? /^ready$/).test(says));
  if (wrong.length > 0) throw new Error(wrong.map(({ service, says }) => `${service} says ${says}`).join("; "));
  return true;
}

async function ask({ wiring }: Cluster, service: ServiceName): Promise<string> {
  const url = `http://127.0.0.1:${wiring.replicas[service][0]?.health}/health/ready`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    const { reasons = {} } = (await response.json()) as { reasons?: Record<string, string> };
    if (response.status === 200) return "ready";
    return `${response.status} ${Object.entries(reasons).map(([name, reason]) => `${name}: ${reason}`)}`;
  } catch {
    return "does not answer at all";
  }
}
