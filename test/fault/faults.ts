// The bad things that happen to a cluster, each by name: what it does, how long it lasts.
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Part } from "@parley/testkit";
import type { Random } from "./seeded.ts";

export interface Fault {
  name: string;
  /** the broker forgets what it had not saved: sessions, queues, packets nobody confirmed */
  breaksBroker: boolean;
  /** Resolves when it is over: the process is gone, goes on, or Redis is empty. */
  inject(cluster: Cluster, random: Random): Promise<void>;
}

/** Every part of a cluster. */
export const parts: readonly Part[] = [
  "router",
  "history",
  "presence",
  "auth-webhook",
  "api",
  "edge",
  "mosquitto",
  "nats-server",
  "redis-server",
];
const pauseMinMs = 1_000;
const pauseMaxMs = 7_000;

/** kill -9; the supervisor starts it again. */
export const kill = (part: Part): Fault => ({
  name: `kill -9 ${part}`,
  breaksBroker: part === "mosquitto",
  inject: (cluster, random) => cluster.kill(part, whichOf(cluster, part, random)),
});

// Long enough for leases to go to nobody, short enough for clients to come back to the same process.
export const freeze = (part: Part): Fault => ({
  name: `SIGSTOP ${part}`,
  breaksBroker: false,
  async inject(cluster, random) {
    const which = whichOf(cluster, part, random);
    await cluster.pause(part, which);
    await sleep(pauseMinMs + random.below(pauseMaxMs - pauseMinMs));
    await cluster.resume(part, which);
  },
});

function whichOf(cluster: Cluster, part: Part, random: Random): { index: number } {
  const replicas = Object.entries(cluster.wiring.replicas).find(([name]) => name === part)?.[1].length ?? 1;
  return { index: random.below(replicas) };
}

/** Everything in Redis is gone. */
export const flush: Fault = { name: "FLUSHALL", breaksBroker: false, inject: (cluster) => cluster.flushRedis() };

export const faults: readonly Fault[] = [...parts.map(kill), ...parts.map(freeze), flush];

/** Two at the same moment. */
export function both(one: Fault, other: Fault): Fault {
  return {
    name: `${one.name} and ${other.name}`,
    breaksBroker: one.breaksBroker || other.breaksBroker,
    async inject(cluster, random) {
      await Promise.all([one.inject(cluster, random.fork("one")), other.inject(cluster, random.fork("other"))]);
    },
  };
}
