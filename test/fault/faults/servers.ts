// What happens to the servers under Parley: Redis empty, away or slow, the broker and JetStream without their data.
import { setTimeout as sleep } from "node:timers/promises";
import { restartWithoutData } from "@parley/testkit";
import { type Fault, nameOf, replicasOf, whichOf } from "./fault.ts";
import { services } from "./processes.ts";

/** Everything in Redis is gone. */
export const flush: Fault = {
  name: "FLUSHALL",
  breaksBroker: false,
  inject: (cluster) => cluster.flushRedis().then(() => undefined),
};

/** Redis is not there for this long, and comes back empty. */
export const redisAway = (minMs = 5_000, maxMs = 60_000): Fault => ({
  name: "Redis away up to a minute",
  breaksBroker: false,
  async inject(cluster, random) {
    const ms = minMs + random.below(maxMs - minMs + 1);
    await cluster.stopPart("redis-server");
    await sleep(ms);
    await cluster.startPart("redis-server");
    await cluster.waitReady("redis-server");
    return `${Math.round(ms / 1_000)} s`;
  },
});

/** Each answer of Redis is this late, for everybody; over a second a command counts as failed. */
export const redisSlow = (forMs = 10_000): Fault => ({
  name: "Redis slow",
  breaksBroker: false,
  async inject(cluster, random) {
    const ms = 200 + random.below(1_100);
    const links = services
      .filter((service) => service !== "edge")
      .flatMap((service) =>
        Array.from({ length: replicasOf(cluster, service) }, (_, index) => cluster.link(service, "redis", { index })),
      );
    for (const link of links) link.delay(ms, "answers");
    await sleep(forMs);
    for (const link of links) link.pass();
    return `${ms} ms`;
  },
});

/** Ended and started, with its sessions or with none. */
export const brokerWithSessions: Fault = {
  name: "broker restarted with its sessions",
  breaksBroker: false,
  async inject(cluster) {
    await cluster.stopPart("mosquitto");
    await cluster.startPart("mosquitto");
    await cluster.waitReady("mosquitto");
    return undefined;
  },
};

export const brokerWithoutSessions: Fault = {
  name: "broker restarted without its sessions",
  breaksBroker: true,
  inject: (cluster) => restartWithoutData(cluster, "mosquitto").then(() => undefined),
};

export const streamsDeleted: Fault = {
  name: "JetStream's data deleted",
  breaksBroker: false,
  inject: (cluster) => restartWithoutData(cluster, "nats-server").then(() => undefined),
};

/**
 * One replica does not hear from Redis, and there its leases are gone: others take them while it goes on with them,
 * until Redis answers it again.
 */
export const twoHolders = (part: "history" | "router"): Fault => ({
  name: `two holders at once, ${part}`,
  breaksBroker: false,
  async inject(cluster, random) {
    const which = whichOf(cluster, part, random);
    const link = cluster.link(part, "redis", which);
    link.halfOpen();
    await cluster.flushRedis();
    await sleep(5_000 + random.below(4_000));
    link.pass();
    return nameOf(part, which);
  },
});
