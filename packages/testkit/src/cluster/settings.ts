// The settings of a cluster on this machine, read strictly from the environment.
import { resolve } from "node:path";
import { nearest } from "@parley/runtime/nearest";
import { type ServiceName, serviceNames, services } from "../parts/services.ts";
import { SetupError } from "../processes/setup-error.ts";

/** How many of each; `all` is for those not named. */
export type Replicas = Partial<Record<ServiceName | "all", number>>;

/** One, unless more are wanted. */
export function replicasOf(service: ServiceName, replicas: Replicas): number {
  return replicas[service] ?? replicas.all ?? 1;
}

/** The ports that users see; 0 = any free one. */
export type PublicPorts = { http: number; mqtt: number; ws: number };

export type ClusterSettings = { dir: string; ports: PublicPorts; replicas: Replicas; storeUrl: string };

const maxReplicas = 16;
const prefix = "PARLEY_";
const settingNames = ["DIR", "HTTP_PORT", "MQTT_PORT", "WS_PORT", "REPLICAS"];
/** Read by services, by `parley` and by tests: not ours, and not mistyped ones of ours. */
const namesOfOthers = ["BROKER_URL", "SECRETS", "LOG_LEVEL", "INSTANCE", "HEALTH_HOST", "URL", "USER", "PASSWORD"];

/** Reads `PARLEY_DIR PARLEY_HTTP_PORT PARLEY_MQTT_PORT PARLEY_WS_PORT PARLEY_REPLICAS STORE_URL`, or throws a SetupError. */
export function readClusterSettings(env: Record<string, string | undefined>): ClusterSettings {
  refuseMistyped(env);
  const dir = resolve(env.PARLEY_DIR || ".parley");
  const ports = {
    http: readPort(env, "PARLEY_HTTP_PORT", 8080),
    mqtt: readPort(env, "PARLEY_MQTT_PORT", 1883),
    ws: readPort(env, "PARLEY_WS_PORT", 8083),
  };
  const storeUrl = env.STORE_URL || `sqlite:${resolve(dir, "data")}`;
  const replicas = readReplicas(env.PARLEY_REPLICAS || "");
  checkReplicas(replicas, storeUrl);
  return { dir, ports, replicas, storeUrl };
}

/** Throws a SetupError when a part that owns a store is wanted more often than the store allows. */
export function checkReplicas(replicas: Replicas, storeUrl: string): void {
  if (!storeUrl.startsWith("sqlite:")) return;
  const many = serviceNames.find((name) => services[name].ownsStore && replicasOf(name, replicas) > 1);
  if (many === undefined) return;
  throw new SetupError(
    `PARLEY_REPLICAS: ${many}=${replicasOf(many, replicas)} is not possible on SQLite, where ${many}'s file belongs to one process; set STORE_URL=mongodb://…`,
  );
}

// Others may have variables of this prefix as well: only what looks like one of ours is refused.
function refuseMistyped(env: Record<string, string | undefined>): void {
  for (const key of Object.keys(env).filter((name) => name.startsWith(prefix))) {
    const name = key.slice(prefix.length);
    if (settingNames.includes(name) || namesOfOthers.includes(name)) continue;
    const guess = nearest(name, settingNames);
    if (guess) throw new SetupError(`${key} is not a setting of npm start (did you mean ${prefix}${guess}?)`);
  }
}

function readPort(env: Record<string, string | undefined>, key: string, fallback: number): number {
  const text = env[key] || String(fallback);
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new SetupError(`${key} is ${JSON.stringify(text)}; a port is a number from 0 (any free one) to 65535`);
  }
  return Number(text);
}

// `router=2,auth-webhook=2`, or `all=2`
function readReplicas(text: string): Replicas {
  const replicas: Replicas = {};
  for (const entry of text.split(",").filter((part) => part.trim() !== "")) {
    const [name = "", count = "", ...rest] = entry.split("=").map((part) => part.trim());
    if (name !== "all" && !serviceNames.includes(name as ServiceName)) {
      throw new SetupError(
        `PARLEY_REPLICAS: ${JSON.stringify(name)} is not a service; one of ${serviceNames.join(", ")}, or all`,
      );
    }
    if (rest.length > 0 || !/^\d{1,2}$/.test(count) || Number(count) < 1 || Number(count) > maxReplicas) {
      throw new SetupError(
        `PARLEY_REPLICAS: ${JSON.stringify(entry.trim())} is not ${name}=1 … ${name}=${maxReplicas}`,
      );
    }
    replicas[name as ServiceName | "all"] = Number(count);
  }
  return replicas;
}
