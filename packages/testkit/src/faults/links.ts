// One link between each replica of each service and each server it uses.
import { type ServiceName, serviceNames, type Wiring } from "../parts/services.ts";
import { type Link, startLink } from "./link.ts";

/** The servers a service talks to, by what they are to it. */
export type LinkedServer = "nats" | "redis" | "broker" | "store";

export interface Links {
  /** The wiring as one replica is told it: its own links in the place of the servers. */
  wiringOf(service: ServiceName, index: number): Wiring;
  /** Throws where there is no such link. */
  link(service: string, server: LinkedServer, index?: number): Link;
  close(): Promise<void>;
}

type OfReplica = { links: Map<LinkedServer, Link>; wiring: Wiring };

/** A store in a file has no link, and neither has one with several addresses. */
export async function startLinks(wiring: Wiring): Promise<Links> {
  const all = new Map<string, OfReplica>();
  for (const service of serviceNames)
    for (const index of wiring.replicas[service].keys()) all.set(`${service} ${index}`, await linkReplica(wiring));
  const of = (service: string, index: number) => {
    const found = all.get(`${service} ${index}`);
    if (!found) throw new Error(`there is no ${service} with index ${index} that has links`);
    return found;
  };
  return {
    wiringOf: (service, index) => of(service, index).wiring,
    link(service, server, index = 0) {
      const link = of(service, index).links.get(server);
      if (!link) throw new Error(`${service} has no link to its ${server}`);
      return link;
    },
    async close() {
      await Promise.all([...all.values()].flatMap(({ links }) => [...links.values()].map((link) => link.close())));
    },
  };
}

async function linkReplica(wiring: Wiring): Promise<OfReplica> {
  const links = new Map<LinkedServer, Link>();
  const through = async (server: LinkedServer, url: string): Promise<string> => {
    const parsed = new URL(url);
    const link = await startLink({ host: parsed.hostname, port: Number(parsed.port) });
    links.set(server, link);
    parsed.hostname = "127.0.0.1";
    parsed.port = String(link.port);
    return parsed.href;
  };
  const { nats, redis, broker } = wiring.urls;
  const urls = {
    nats: await through("nats", nats),
    redis: await through("redis", redis),
    broker: await through("broker", broker),
  };
  const single = /^mongodb:\/\/[^,]*$/.test(wiring.storeUrl);
  const storeUrl = single ? directly(await through("store", wiring.storeUrl)) : wiring.storeUrl;
  return { links, wiring: { ...wiring, urls, brokerSocket: undefined, directSocket: undefined, storeUrl } };
}

// A replica set tells its drivers its own addresses, which are not the link's.
function directly(url: string): string {
  const parsed = new URL(url);
  if (parsed.pathname === "") parsed.pathname = "/";
  parsed.searchParams.set("directConnection", "true");
  parsed.searchParams.delete("replicaSet");
  return parsed.href;
}
