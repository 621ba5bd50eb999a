// What is wrong with a container of Parley's image as a deployment describes it, held against what the code has: for compose and Kubernetes.
import { ConfigError, fileKeyOf, nearest, readConfig, type Settings } from "@parley/runtime";
import type { TProperties, TSchema } from "typebox";
import { listenedPorts, settingsOf } from "./settings-of.ts";

/** One container as it is described, whatever describes it. */
export interface DescribedContainer {
  /** where it stands, at the begin of each complaint: `docker-compose.yml: router` */
  where: string;
  /** what is given to the image, first of all the service */
  args: readonly string[];
  /** Its environment, the image's own included. undefined: the value comes from a secret, so only that it comes is known. */
  env: Readonly<Record<string, string | undefined>>;
  /** names of `env` that the image sets, not the deployment: those of other services too */
  imageEnv: readonly string[];
  /** ports of the container that others are sent to: published, named, those of a Service */
  ports: readonly number[];
  /** what is asked whether it lives and is ready */
  probes: readonly { path: string; port: number }[];
  /** where something is mounted */
  mounts: readonly { path: string; isReadOnly: boolean }[];
  /** may it write anywhere else? */
  isRootReadOnly: boolean;
}

/** Set for Node and the system, not for a service. */
const anybodys = ["NODE_OPTIONS", "NODE_EXTRA_CA_CERTS", "TZ", "HOME", "XDG_CONFIG_HOME"];
const probePaths = ["/health/live", "/health/ready"];

/** Every complaint, one line each; none: it fits the code. */
export function complaintsAbout(container: DescribedContainer): string[] {
  const { where, args } = container;
  const [service = "", ...more] = args;
  if (service === "parley") return [];
  const settings = settingsOf(service);
  const found: string[] = [];
  if (settings === undefined) found.push(`the image has no service "${service}"`);
  else {
    if (more.length > 0) found.push(`${service} takes no arguments: ${more.join(" ")}`);
    found.push(...unknownNames(settings, container), ...wrongValues(settings, container));
    found.push(...missing(settings, container), ...strangePorts(settings, container));
    found.push(...strangeProbes(settings, container), ...unmountedPaths(settings, container));
  }
  return found.map((complaint) => `${where}: ${complaint}`);
}

function schemaOf(
  { properties }: Settings,
  key: string,
): (TSchema & { secret?: boolean; default?: unknown }) | undefined {
  return (properties as TProperties)[key];
}

function keyOfFile(settings: Settings, name: string): string | undefined {
  return Object.keys(settings.properties).find((key) => fileKeyOf(key) === name && schemaOf(settings, key)?.secret);
}

function unknownNames(settings: Settings, { env, imageEnv }: DescribedContainer): string[] {
  const known = [...Object.keys(settings.properties), ...anybodys];
  return Object.keys(env)
    .filter((name) => !known.includes(name) && keyOfFile(settings, name) === undefined)
    .filter((name) => !imageEnv.includes(name))
    .map((name) => {
      const guess = nearest(name, known);
      return `${name} is not a setting of ${settings.service}${guess ? ` (did you mean ${guess}?)` : ""}`;
    });
}

// What comes from a secret, or from a file, is not known here; all else is read as the service reads it.
function wrongValues(settings: Settings, { env }: DescribedContainer): string[] {
  const own = Object.entries(env).filter(([name]) => schemaOf(settings, name) !== undefined);
  const known = own.filter(([, value]) => value !== undefined) as [string, string][];
  try {
    readConfig(settings, Object.fromEntries(known));
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.filter((problem) => !isGivenUnknown(problem, env));
  }
}

function isGivenUnknown(problem: string, env: DescribedContainer["env"]): boolean {
  const [key = ""] = problem.split(" ");
  return isGiven(env, key) && env[key] === undefined;
}

function isGiven(env: DescribedContainer["env"], key: string): boolean {
  return key in env || fileKeyOf(key) in env;
}

// In a container 127.0.0.1 is the container itself, a free port is one that nobody knows, and a file of SQLite goes with it.
function missing(settings: Settings, { env }: DescribedContainer): string[] {
  return Object.entries(settings.properties)
    .filter(([key]) => !isGiven(env, key))
    .flatMap(([key, schema]) => {
      const { default: fallback } = schema as { default?: unknown };
      if (/127\.0\.0\.1/.test(String(fallback))) return `${key} is not given, and is ${fallback} without`;
      if (key.endsWith("_PORT") && fallback === 0) return `${key} is not given, so nobody knows its port`;
      if (key === "STORE_URL") return `${key} is not given, so what is stored goes with the container`;
      if (key === "PARLEY_SECRETS") return `${key} is not given, so each replica makes secrets of its own`;
      return [];
    });
}

function strangePorts(settings: Settings, { env, ports }: DescribedContainer): string[] {
  const listened = Object.values(listenedPorts(settings, env));
  return ports
    .filter((port) => !listened.includes(port))
    .map((port) => `port ${port} is none that ${settings.service} listens on (${listened.join(", ")})`);
}

function strangeProbes(settings: Settings, { env, probes }: DescribedContainer): string[] {
  const health = Number(env[`${settings.prefix}_HEALTH_PORT`]);
  return probes.flatMap(({ path, port }) => [
    ...(probePaths.includes(path) ? [] : [`it is asked for ${path}, which is none of ${probePaths.join(", ")}`]),
    ...(port === health
      ? []
      : [`it is asked on port ${port}, and answers on ${settings.prefix}_HEALTH_PORT=${health}`]),
  ]);
}

function unmountedPaths(settings: Settings, { env, mounts, isRootReadOnly }: DescribedContainer): string[] {
  const within = (path: string) => mounts.find((mount) => path === mount.path || path.startsWith(`${mount.path}/`));
  const files = Object.entries(env).filter(([name]) => keyOfFile(settings, name) !== undefined);
  const unreadable = [...files, ["PARLEY_SECRETS", env.PARLEY_SECRETS] as const]
    .filter(([, path]) => path !== undefined && within(path) === undefined)
    .map(([name, path]) => `${name} is ${path}, where nothing is mounted`);
  const temporary = within("/tmp");
  const canWrite = !isRootReadOnly || temporary?.isReadOnly === false;
  return [...unreadable, ...(canWrite ? [] : ["it cannot write to /tmp: mount something there that goes with it"])];
}
