// Where everything of a cluster listens: the public ports, moved when taken, and the internal ones, free and kept.

import type { ServerName } from "../parts/servers.ts";
import { type PortName, type Ports, type ServiceName, serviceNames, services } from "../parts/services.ts";
import { freePort, isFree } from "../processes/free-port.ts";
import { type PublicPorts, type Replicas, replicasOf } from "./settings.ts";

export type PortPlan = {
  public: PublicPorts;
  servers: Record<ServerName, number>;
  replicas: Record<ServiceName, Ports[]>;
  /** Public ports in front of several replicas. */
  fronts: { port: number; targets: number[] }[];
};

const publicPorts: { name: keyof PublicPorts; service: ServiceName; setting: string; what: string }[] = [
  { name: "http", service: "api", setting: "PARLEY_HTTP_PORT", what: "HTTP" },
  { name: "mqtt", service: "edge", setting: "PARLEY_MQTT_PORT", what: "MQTT" },
  { name: "ws", service: "edge", setting: "PARLEY_WS_PORT", what: "WebSocket" },
];

/** Chooses all ports once, so that a part that is started again is found where it was. */
export async function planPorts(
  wanted: PublicPorts,
  replicas: Replicas,
  log: (line: string) => void,
): Promise<PortPlan> {
  const taken = new Set<number>();
  const free = async (): Promise<number> => {
    const port = await freePort();
    if (taken.has(port)) return free();
    taken.add(port);
    return port;
  };
  const chosen: PublicPorts = { ...wanted };
  for (const { name, setting, what } of publicPorts) {
    const port = wanted[name];
    if (port !== 0 && !taken.has(port) && (await isFree(port))) {
      taken.add(port);
      continue;
    }
    chosen[name] = await free();
    if (port !== 0) log(`port ${port} is taken: ${what} is on ${chosen[name]} instead (${setting})`);
  }
  const plan: PortPlan = {
    public: chosen,
    servers: { mosquitto: await free(), "redis-server": await free(), "nats-server": await free() },
    replicas: { history: [], presence: [], search: [], push: [], "auth-webhook": [], api: [], router: [], edge: [] },
    fronts: [],
  };
  for (const service of serviceNames) {
    const count = replicasOf(service, replicas);
    for (let n = 0; n < count; n += 1) plan.replicas[service].push(await portsOf(service, count, chosen, free));
  }
  for (const { name, service } of publicPorts) {
    if (plan.replicas[service].length === 1) continue;
    plan.fronts.push({ port: chosen[name], targets: plan.replicas[service].map((own) => own[name]!) });
  }
  return plan;
}

// A single replica listens on the public port itself.
async function portsOf(
  service: ServiceName,
  count: number,
  chosen: PublicPorts,
  free: () => Promise<number>,
): Promise<Ports> {
  const own: Ports = { health: await free() };
  for (const name of services[service].ports) {
    own[name] = count === 1 && isPublic(name) ? chosen[name] : await free();
  }
  return own;
}

function isPublic(name: PortName): name is keyof PublicPorts & PortName {
  return publicPorts.some((port) => port.name === name);
}
