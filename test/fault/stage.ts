// A cluster to do bad things to: links everywhere, clocks and small disks where they can be had, two of what may be two.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Cluster,
  type Link,
  mountSmallDisk,
  type Replicas,
  type SmallDisk,
  startCluster,
  startLink,
  testMongo,
} from "@parley/testkit";
import { type Catalogue, catalogueOf } from "./faults/catalogue.ts";

export interface StageOptions {
  /** sqlite, mongodb (a fresh database on whatever there is), a URL; undefined: mongodb, else sqlite */
  store: string | undefined;
  /** of every service that may have several */
  replicas: number;
  signal?: AbortSignal;
}

export interface Stage {
  cluster: Cluster;
  /** the way in for some of the devices */
  devices: Link;
  catalogue: Catalogue;
  /** what it stands on, in a word */
  store: string;
  replicas: string;
  /** a server that keeps all in memory and reads its collections from end to end: not for hours */
  forgetful: boolean;
  /** `keep`: the folder with the logs stays. */
  close(options?: { keep?: boolean; force?: boolean }): Promise<void>;
}

const diskMegabytes = 2_048;
const stores = ["history", "presence", "search", "push", "api"] as const;

export async function openStage({ store, replicas, signal }: StageOptions): Promise<Stage> {
  const dir = await mkdtemp(join(tmpdir(), "parley-fault-"));
  const ends: (() => unknown)[] = [];
  const mongo = await chooseMongo(store, (end) => void ends.push(end));
  const disks = mongo ? new Map<string, SmallDisk>() : mountDisks(dir);
  const many: Replicas = { router: replicas, edge: replicas, "auth-webhook": replicas };
  if (mongo)
    Object.assign(many, { history: replicas, presence: replicas, search: replicas, push: replicas, api: replicas });
  let cluster: Cluster | undefined;
  const close: Stage["close"] = async ({ keep = false, force = false } = {}) => {
    for (const disk of disks.values()) disk.empty();
    await cluster?.close({ force });
    for (const disk of disks.values()) disk.unmount();
    for (const end of ends) await end();
    if (!keep) await rm(dir, { recursive: true, force: true });
  };
  try {
    const where = mongo ? { storeUrl: mongo.url } : {};
    const aborts = signal ? { signal } : {};
    cluster = await startCluster({ dir, replicas: many, links: true, clocks: true, ...where, ...aborts });
    const devices = await startLink(cluster.run().mqtt.port);
    ends.push(() => devices.close());
    return {
      cluster,
      devices,
      catalogue: catalogueOf(cluster, { devices, disks }),
      store: mongo ? `MongoDB (${mongo.kind})` : "SQLite",
      replicas: Object.entries(cluster.wiring.replicas)
        .map(([name, all]) => `${name} ${all.length}`)
        .join(", "),
      forgetful: mongo?.kind === "mongo-java-server",
      close,
    };
  } catch (error) {
    await close({ keep: true });
    throw error;
  }
}

async function chooseMongo(
  store: string | undefined,
  after: (end: () => unknown) => void,
): Promise<{ url: string; kind: string } | undefined> {
  if (store === "sqlite") return undefined;
  if (store?.startsWith("mongodb://")) return { url: store, kind: "by URL" };
  const mongo = await testMongo({ after });
  if (!mongo && store === "mongodb")
    throw new Error("there is no MongoDB: set MONGODB_URL, or install mongod, or Java 17 and Maven");
  return mongo;
}

function mountDisks(dir: string): Map<string, SmallDisk> {
  const disks = new Map<string, SmallDisk>();
  for (const service of stores) {
    const disk = mountSmallDisk(join(dir, "data", service), diskMegabytes);
    if (disk) disks.set(service, disk);
  }
  return disks;
}
