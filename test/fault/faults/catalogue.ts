// Every fault that a given cluster can suffer, and what had to be left out.
import type { Cluster, Link, SmallDisk } from "@parley/testkit";
import { clockWrong, diskFull } from "./clocks-and-disks.ts";
import { type Fault, replicasOf } from "./fault.ts";
import { deviceTrouble, linkedServers, linkTrouble, troubles, users } from "./links.ts";
import { freeze, freezePastLease, kill, parts, restart, services } from "./processes.ts";
import {
  brokerWithoutSessions,
  brokerWithSessions,
  flush,
  redisAway,
  redisSlow,
  streamsDeleted,
  twoHolders,
} from "./servers.ts";

export interface Catalogue {
  faults: readonly Fault[];
  /** a sentence each, to be said loudly */
  leftOut: readonly string[];
}

export interface Means {
  /** the link through which some of the devices come */
  devices?: Link | undefined;
  /** service → the disk its store is on */
  disks?: ReadonlyMap<string, SmallDisk>;
}

export function catalogueOf(cluster: Cluster, { devices, disks = new Map() }: Means = {}): Catalogue {
  const servers = linkedServers(cluster);
  const linked = servers.length > 0;
  const onMongo = cluster.wiring.storeUrl.startsWith("mongodb");
  const several = (["history", "router"] as const).filter((part) => replicasOf(cluster, part) > 1);
  const faults = [
    ...parts.map(kill),
    ...parts.map(freeze),
    ...services.map(restart),
    flush,
    redisAway(),
    brokerWithSessions,
    brokerWithoutSessions,
    streamsDeleted,
    ...several.map(freezePastLease),
    ...(linked ? [redisSlow(), ...several.map(twoHolders)] : []),
    ...servers.flatMap((server) => troubles.map((trouble) => linkTrouble(server, trouble))),
    ...(linked ? [routerFromHistory] : []),
    ...(devices ? troubles.map((trouble) => deviceTrouble(devices, trouble)) : []),
    ...(cluster.hasClocks ? services.map((service) => clockWrong(service)) : []),
    ...[...disks].map(([service, disk]) => diskFull(service, disk)),
  ];
  const leftOut = [
    ...(cluster.hasClocks ? [] : ["NO FAULTS OF THE CLOCK: libfaketime is not installed (apt: faketime)"]),
    ...(onMongo ? ["no full disk: the store is a MongoDB"] : []),
    ...(onMongo && !servers.includes("store") ? ["NO LINKS TO THE STORE: its URL has several hosts"] : []),
    ...(onMongo || disks.size > 0 ? [] : ["NO FULL DISK: a small disk can be mounted only as root on Linux"]),
    ...(several.length === 2 ? [] : ["history or router has one replica: no two holders, no freeze past a lease"]),
  ];
  return { faults, leftOut };
}

const lost = troubles.find(({ name }) => name === "answers lost");
if (!lost) throw new Error("there is no trouble of lost answers");

/** The case of the outcome unknown: history has stored it, and the router does not hear so. */
export const routerFromHistory: Fault = {
  ...linkTrouble("nats", lost, users.nats.slice(0, 1)),
  name: "NATS cut between router and history, answer lost",
};
