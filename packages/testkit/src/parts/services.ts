// The services of a cluster: what each is told by its environment, and which ports it needs.
import { get } from "node:http";
import { join } from "node:path";
import type { Environment, Program } from "../processes/child.ts";
import { programOf, root } from "../programs/programs.ts";

/** A port of a service beside its health port. */
export type PortName = "hooks" | "http" | "mqtt" | "ws" | "admin";

export type ServiceName = "history" | "presence" | "search" | "push" | "auth-webhook" | "api" | "router" | "edge";

/** The ports of one replica. */
export type Ports = Partial<Record<PortName, number>> & { health: number };

/** Where everything of one cluster is; services are told of each other from it. */
export type Wiring = {
  dir: string;
  storeUrl: string;
  urls: { nats: string; redis: string; broker: string };
  /** the broker's for services, where it has one beside its port */
  brokerSocket?: string | undefined;
  /** where routers give copies to the edge, if there is one edge */
  directSocket?: string | undefined;
  public: { http: number; mqtt: number; ws: number };
  replicas: Record<ServiceName, Ports[]>;
};

type Service = {
  prefix: string;
  /** A store of its own: on SQLite, one process. */
  ownsStore: boolean;
  ports: readonly PortName[];
  /** When it ends: who takes in work first (1), who keeps it last. All start at once and wait for each other. */
  stops: 1 | 2 | 3 | 4;
  /** `given`: what its environment holds anyway. */
  env(wiring: Wiring, own: Ports, given: Environment): Environment;
};

/** On one machine, to try the clients of mqtt-chatroom that are public: each with its own login and its own topics. */
const localGuests = "chat:chat:chat,Test:test:test/,Server:admin:";

export const services: Record<ServiceName, Service> = {
  history: { prefix: "HISTORY", ownsStore: true, ports: [], stops: 4, env: () => ({}) },
  presence: {
    prefix: "PRESENCE",
    ownsStore: true,
    ports: [],
    stops: 3,
    env: ({ replicas }) => ({ PRESENCE_BROKER_ADMIN_URL: replicas.edge.map(({ admin }) => http(admin)).join(",") }),
  },
  search: { prefix: "SEARCH", ownsStore: true, ports: [], stops: 3, env: () => ({}) },
  push: { prefix: "PUSH", ownsStore: true, ports: [], stops: 3, env: () => ({}) },
  "auth-webhook": {
    prefix: "AUTH_WEBHOOK",
    ownsStore: false,
    ports: ["hooks"],
    stops: 3,
    env: (_, own, given) => ({ AUTH_WEBHOOK_PORT: String(own.hooks), GUESTS: given.GUESTS ?? localGuests }),
  },
  api: {
    prefix: "API",
    ownsStore: true,
    ports: ["http"],
    stops: 3,
    env: (wiring, own, given) => ({
      GUESTS: given.GUESTS ?? localGuests,
      API_PORT: String(own.http),
      API_CODES: "print",
      API_MQTT_HOST: "127.0.0.1",
      API_MQTT_PORT: String(wiring.public.mqtt),
      API_PUBLIC_URL: http(wiring.public.http),
      API_WS_UPSTREAM: `ws://127.0.0.1:${wiring.public.ws}`,
    }),
  },
  router: {
    prefix: "ROUTER",
    ownsStore: false,
    ports: [],
    stops: 2,
    env: (wiring, _, given) => ({
      ROUTER_PUBLIC_URL: http(wiring.public.http),
      GUESTS: given.GUESTS ?? localGuests,
    }),
  },
  edge: {
    prefix: "EDGE",
    ownsStore: false,
    ports: ["mqtt", "ws", "admin"],
    stops: 1,
    env: ({ replicas }, own, given) => ({
      // api passes WebSockets on to it from this machine, and says whose they are.
      TRUSTED_PROXIES: [given.TRUSTED_PROXIES, "127.0.0.1"].filter(Boolean).join(","),
      EDGE_MQTT_PORT: String(own.mqtt),
      EDGE_WS_PORT: String(own.ws),
      EDGE_ADMIN_PORT: String(own.admin),
      EDGE_HOOKS_URL: replicas["auth-webhook"].map(({ hooks }) => http(hooks)).join(","),
    }),
  },
};

export const serviceNames = Object.keys(services) as ServiceName[];

/**
 * MiB of a half of the young generation, where V8's own (32) is not best. With less, router and history spend a tenth of their time on
 * copying what is still in hand. The edge has hardly anything in hand: with more it takes only more memory (docs/bench.md).
 */
const roomForYoung: Partial<Record<ServiceName, number>> = {
  edge: 16,
  presence: 8,
  "auth-webhook": 8,
  router: 64,
  history: 64,
};

/** How to start one replica: what the cluster knows wins over `env`, which wins over our own environment. */
export function serviceProgram(service: ServiceName, wiring: Wiring, own: Ports, env: Environment): Program {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const told: Environment = {
    NATS_URL: wiring.urls.nats,
    REDIS_URL: wiring.urls.redis,
    STORE_URL: wiring.storeUrl,
    PARLEY_BROKER_URL: wiring.brokerSocket ?? wiring.urls.broker,
    PARLEY_DIRECT_SOCKET: wiring.directSocket ?? "",
    PARLEY_DIR: wiring.dir,
    PARLEY_SECRETS: join(wiring.dir, "secrets"),
    PARLEY_PARENT_PIPE: "true",
    [`${services[service].prefix}_HEALTH_PORT`]: String(own.health),
    ...services[service].env(wiring, own, { ...inherited, ...env }),
  };
  const young = roomForYoung[service];
  const args = [
    ...(young === undefined ? [] : [`--max-semi-space-size=${young}`]),
    programOf(`services/${service}/src/main.ts`),
  ];
  return { command: process.execPath, args, env: { ...inherited, ...env, ...told }, cwd: root };
}

function http(port: number | undefined): string {
  return `http://127.0.0.1:${port}`;
}

/** Asks a service's `/health/ready`: true, or what it waits for. */
export function askHealth(port: number): Promise<true | string> {
  return new Promise((resolve) => {
    const request = get(
      { port, host: "127.0.0.1", path: "/health/ready", agent: false, timeout: 2_000 },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text: string) => {
          body += text;
        });
        response.on("end", () => resolve(response.statusCode === 200 ? true : reasonsOf(body)));
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", (error) => resolve(error.message));
  });
}

function reasonsOf(body: string): string {
  try {
    const reasons: Record<string, string> = JSON.parse(body).reasons;
    return Object.entries(reasons)
      .map(([name, reason]) => `${name}: ${reason}`)
      .join(", ");
  } catch {
    return body.slice(0, 200);
  }
}
