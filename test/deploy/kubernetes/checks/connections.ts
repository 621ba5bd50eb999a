// Every connection that the code makes: of each setting that names an address whom it leads to, and of the libraries that go out by
// themselves.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { serviceNames, settingsOf } from "../../settings-of.ts";
import { podOf, type Resource } from "../resources.ts";
import { environmentOf, serviceOf, workloadsOf } from "./containers.ts";
import { servedBy } from "./references.ts";

const root = join(import.meta.dirname, "../../../..");

/** Whom a connection leads to: a pod with these labels, or an address outside the cluster. */
export interface Target {
  labels?: Readonly<Record<string, string>>;
  port: number;
}

export interface Connection extends Target {
  /** the workload that connects */
  from: string;
  /** the setting, or whatever makes it connect */
  because: string;
}

type Reach = Target[] | "its value" | "told to others" | "somebody's own";

const server = (name: string, port: number): Reach => [{ labels: { "parley/server": name }, port }];
const internet = (...ports: number[]): Reach => ports.map((port) => ({ port }));

/**
 * What a setting that names an address leads to. `its value`: the address that it is given; `told to others`: the service itself does not
 * connect there; `somebody's own`: given only where an operator has such a server, who then allows it.
 */
export const reachOf: Readonly<Record<string, Reach>> = {
  NATS_URL: server("nats", 4222),
  REDIS_URL: server("redis", 6379),
  STORE_URL: server("mongodb", 27017),
  BLOBS_URL: "somebody's own",
  API_CLAMD_URL: "somebody's own",
  PARLEY_BROKER_URL: "its value",
  EDGE_HOOKS_URL: "its value",
  PRESENCE_BROKER_ADMIN_URL: "its value",
  API_WS_UPSTREAM: "its value",
  API_CODES: internet(443),
  AUTH_WEBHOOK_JWKS_URL: internet(443),
  LINK_PREVIEWS: internet(80, 443),
  PUSH_APNS_URL: internet(443),
  PUSH_APNS_SANDBOX_URL: internet(443),
  PUSH_FCM_URL: internet(443),
  PUSH_WEB_SUBJECT: "told to others",
  API_PUBLIC_URL: "told to others",
  API_PUBLIC_WS: "told to others",
  API_CORS_ORIGINS: "told to others",
  ROUTER_PUBLIC_URL: "told to others",
};

/** Libraries that connect to providers by themselves, and on which ports. */
const outgoing: Readonly<Record<string, readonly number[]>> = {
  "firebase-admin": [443],
  apn: [443],
  "web-push": [443],
};

/** Settings that take an address and of which `reachOf` says nothing. */
export function unknownAddresses(): string[] {
  return serviceNames.flatMap((service) =>
    Object.entries(settingsOf(service)?.properties ?? {})
      .filter(
        ([key, schema]) => /:(\\?\/){2}/.test(String((schema as { pattern?: string }).pattern)) && !(key in reachOf),
      )
      .map(
        ([key]) => `${service}: where does ${key} lead to? (reachOf in test/deploy/kubernetes/checks/connections.ts)`,
      ),
  );
}

/** All that a built overlay will have its services connect to. */
export function connectionsOf(resources: readonly Resource[]): Connection[] {
  return workloadsOf(resources).flatMap((workload) => {
    const { container, service } = serviceOf(workload);
    const env = environmentOf(container, resources);
    const from = workload.metadata.name;
    const bySettings = Object.keys(settingsOf(service)?.properties ?? {}).flatMap((key) =>
      targetsOf(key, env[key], resources).map((target) => ({ ...target, from, because: key })),
    );
    return [...bySettings, ...byLibraries(service).map((target) => ({ ...target, from }))];
  });
}

function targetsOf(key: string, value: string | undefined, resources: readonly Resource[]): Target[] {
  const reach = reachOf[key];
  if (typeof reach === "object") return reach;
  if (reach !== "its value" || value === undefined) return [];
  return value
    .split(",")
    .filter((one) => one.includes("://"))
    .flatMap((one) => behind(new URL(one), resources));
}

/** The pods that an address leads to: those of the Service that it names, by its selector where they are installed otherwise. */
function behind({ hostname, port }: URL, resources: readonly Resource[]): Target[] {
  const service = resources.find(({ kind, metadata }) => kind === "Service" && metadata.name === hostname);
  if (service === undefined) throw new Error(`${hostname}: there is no such Service`);
  const { selector = {}, ports = [] } = service.spec as {
    selector?: Record<string, string>;
    ports?: { port: number; targetPort?: number | string }[];
  };
  const found = ports.find((one) => one.port === Number(port));
  if (found === undefined) throw new Error(`${hostname}: the Service has no port ${port}`);
  const [workload] = servedBy(service, resources);
  const labels = (workload && podOf(workload)?.metadata.labels) ?? selector;
  const number = typeof found.targetPort === "number" ? found.targetPort : found.port;
  return [{ labels, port: number }];
}

function byLibraries(service: string): { because: string; port: number }[] {
  const text = readFileSync(join(root, "services", service, "package.json"), "utf8");
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> };
  return Object.keys(dependencies).flatMap((name) => (outgoing[name] ?? []).map((port) => ({ because: name, port })));
}
