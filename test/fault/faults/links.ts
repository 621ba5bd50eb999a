// Networks that misbehave between a service and a server, and between devices and the edge.
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Link, LinkedServer } from "@parley/testkit";
import type { Random } from "../seeded.ts";
import { type Fault, nameOf, whichOf } from "./fault.ts";
import type { services } from "./processes.ts";

type Service = (typeof services)[number];

/** Which services talk to a server. */
export const users: Readonly<Record<LinkedServer, readonly Service[]>> = {
  nats: ["router", "history", "presence", "search", "push", "auth-webhook", "api"],
  redis: ["router", "history", "presence", "auth-webhook"],
  broker: ["router", "edge"],
  store: ["history", "presence", "search", "push", "api"],
};

/** The servers this cluster has links to: none if it was started without, no store in a file. */
export function linkedServers(cluster: Cluster): LinkedServer[] {
  return (Object.keys(users) as LinkedServer[]).filter((server) => {
    try {
      return users[server].every((service) => cluster.link(service, server) !== undefined);
    } catch {
      return false;
    }
  });
}

export interface Trouble {
  name: string;
  begin(link: Link, random: Random): string;
  minMs: number;
  maxMs: number;
  /** connections end with it, so that nothing goes on behind a hole */
  cutsAfter?: true;
}

const directions = ["both", "requests", "answers"] as const;

export const troubles: readonly Trouble[] = [
  {
    name: "cut",
    minMs: 100,
    maxMs: 7_000,
    begin(link) {
      link.cut();
      return "";
    },
  },
  {
    name: "slow",
    minMs: 5_000,
    maxMs: 12_000,
    begin(link, random) {
      const ms = 50 + random.below(1_000);
      link.delay(ms, random.pick(directions));
      return `${ms} ms`;
    },
  },
  {
    name: "half-open",
    minMs: 3_000,
    maxMs: 15_000,
    begin(link, random) {
      const direction = random.pick(directions);
      link.halfOpen(direction);
      return direction;
    },
  },
  {
    name: "dripping",
    minMs: 5_000,
    maxMs: 12_000,
    begin(link, random) {
      const bytes = 500 + random.below(5_000);
      link.drip(bytes, random.pick(directions));
      return `${bytes} B/s`;
    },
  },
  {
    name: "answers lost",
    minMs: 300,
    maxMs: 3_000,
    cutsAfter: true,
    begin(link) {
      link.dropAnswers();
      return "";
    },
  },
];

/** One replica's link to the server; which service's is drawn from those that use it, or from `of`. */
export const linkTrouble = (server: LinkedServer, trouble: Trouble, of = users[server]): Fault => ({
  name: `${server} link ${trouble.name}`,
  breaksBroker: false,
  async inject(cluster, random) {
    const service = random.pick(of);
    const which = whichOf(cluster, service, random);
    const detail = await suffer(cluster.link(service, server, which), trouble, random);
    return [nameOf(service, which), detail].filter((word) => word !== "").join(" ");
  },
});

/** All devices that come through this link at once. */
export const deviceTrouble = (link: Link, trouble: Trouble): Fault => ({
  name: `devices' link ${trouble.name}`,
  breaksBroker: false,
  inject: async (_, random) => (await suffer(link, trouble, random)) || undefined,
});

async function suffer(link: Link, { begin, minMs, maxMs, cutsAfter }: Trouble, random: Random): Promise<string> {
  const detail = begin(link, random);
  await sleep(minMs + random.below(maxMs - minMs));
  if (cutsAfter) link.cut();
  link.pass();
  return detail;
}
