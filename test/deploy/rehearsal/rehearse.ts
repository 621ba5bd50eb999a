// docker-compose.yml carried out without Docker: each container is a process here, started, asked for its health and ended as the file says.
// What stands in for the images that cannot be had: MongoDB is the tests' own, and a container's walls (read-only root, users, limits,
// networks) are not there.
import { execFile } from "node:child_process";
import { globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Child, eventually, searchPath, startChild } from "@parley/testkit";
import { type Compose, type ComposeService, startedWith } from "../compose/read-compose.ts";
import { readDockerfile } from "../image/dockerfile.ts";
import { type Container, layOut, mount, type Places, publishedAt } from "./places.ts";
import { forServerHere } from "./servers-here.ts";

export interface Rehearsal {
  /** where the published port is */
  published(port: number): number;
  /** a file of the volume of secrets */
  secret(path: string): string;
  /** what a container has written to its output */
  log(name: string): string;
  names(): string[];
  /** what Parley's containers have written outside of /tmp */
  written(): string[];
  /** As `docker compose stop`: who depends on others ends first. Answers how each ended. */
  stop(): Promise<Ending[]>;
}

export interface Ending {
  name: string;
  code: number | null;
  /** ended by itself within its grace period */
  inTime: boolean;
}

/** What Docker gives a container to end, unless it is told otherwise. */
const usualGraceMs = 10_000;
const healthEveryMs = 500;
/** MongoDB's containers; the stand-in takes their place. */
const stoodIn = ["mongo", "mongo-init"];

/** Starts what `docker compose --profile PROFILE up` would; resolves when all of it is healthy. */
export async function rehearse(
  t: { after(fn: () => unknown): void },
  options: {
    dir: string;
    compose: Compose;
    profile: string;
    storeUrl: string;
    /** what stands in parley.env; its paths and addresses are of this machine */
    settings?: Readonly<Record<string, string>>;
  },
): Promise<Rehearsal> {
  const { dir, compose, profile, storeUrl, settings = {} } = options;
  const services = startedWith(compose, [profile]).filter(({ name }) => !stoodIn.includes(name));
  const image = readDockerfile();
  const places = await layOut(dir, compose, services, image);
  const running = new Map<string, Child>();
  mkdirSync(join(dir, "logs"));
  t.after(() => {
    for (const child of running.values()) child.kill("SIGKILL");
  });

  async function start(container: Container): Promise<void> {
    const { service } = container;
    mount(dir, places, container, forServerHere(service.name, container.ports));
    const [command = "", ...args] = programOf(container);
    const child = startChild(
      {
        command,
        args,
        env: environmentOf(container),
        cwd: container.paths.find(([path]) => path === "/tmp")![1],
      },
      { logFile: join(dir, "logs", `${service.name}.log`), dieWith: "SIGKILL" },
    );
    running.set(service.name, child);
    if (conditionsOn(services, service.name).includes("service_completed_successfully")) {
      const { code } = await child.exited;
      if (code !== 0) throw new Error(`${service.name} ended with ${code}: ${log(service.name)}`);
      running.delete(service.name);
      if (service.name === "secrets") useStandIn(dir, storeUrl);
      return;
    }
    const dead = child.exited.then(() => {
      throw new Error(`${service.name} ended: ${log(service.name)}`);
    });
    dead.catch(() => {});
    const healthy = eventually(() => checkHealth(container), { intervalMs: healthEveryMs });
    await Promise.race([healthy, dead]).catch((cause) => {
      throw new Error(`${service.name} is not healthy: ${cause.message}`, { cause });
    });
  }

  const environmentOf = (container: Container) => ({
    ...(container.isOurs ? settings : {}),
    ...environmentHere(places, container),
  });

  function programOf(container: Container): string[] {
    const { service } = container;
    const words = [...(service.entrypoint ?? (container.isOurs ? image.entrypoint : [])), ...service.command];
    return words.map((word) => places.here(container, word));
  }

  /** Rejects with what the check says. */
  async function checkHealth(container: Container): Promise<true> {
    const test = container.service.healthcheck?.test ?? ["CMD", ...image.healthcheck];
    const [kind, ...words] = test.map((word) => places.here(container, word));
    const [command = "", ...args] = kind === "CMD-SHELL" ? ["sh", "-c", ...words] : words;
    await promisify(execFile)(command, args, { env: environmentOf(container) }).catch((error) => {
      throw new Error(`${error.stdout}${error.stderr}`.trim() || error.message);
    });
    return true;
  }

  const log = (name: string) => readFileSync(join(dir, "logs", `${name}.log`), "utf8");
  const order = inOrder(services);
  for (const group of order) await Promise.all(group.map(({ name }) => start(places.containers.get(name)!)));
  return {
    published: (port) => publishedAt(places.containers, port) ?? -1,
    secret: (path) => readFileSync(join(dir, "volumes/secrets", path), "utf8"),
    log,
    names: () => readdirSync(join(dir, "logs")).map((file) => file.slice(0, -".log".length)),
    written: () => globSync("containers/*/written/*", { cwd: dir }),
    stop: async () => {
      const endings: Ending[] = [];
      for (const group of order.toReversed())
        endings.push(...(await Promise.all(group.flatMap((one) => stopOne(one, running.get(one.name))))));
      return endings;
    },
  };
}

async function stopOne(
  { name, stopGraceMs = usualGraceMs }: ComposeService,
  child: Child | undefined,
): Promise<Ending> {
  if (child === undefined) return { name, code: 0, inTime: true };
  child.kill("SIGTERM");
  let inTime = true;
  const killing = setTimeout(() => {
    inTime = false;
    child.kill("SIGKILL");
  }, stopGraceMs);
  const { code } = await child.exited;
  clearTimeout(killing);
  return { name, code, inTime };
}

/** The environment of the container and nothing else; where it listens is 127.0.0.1, on the ports that it has here. */
function environmentHere(places: Places, container: Container): Record<string, string> {
  const { env, portKeys, ports } = container;
  const told = Object.entries(env).map(([key, value]): [string, string] => {
    if (key.endsWith("_HOST") && value === "0.0.0.0") return [key, "127.0.0.1"];
    if (portKeys.includes(key)) return [key, String(ports.get(Number(value)))];
    if (key === "API_MQTT_PORT") return [key, String(publishedAt(places.containers, Number(value)))];
    return [key, places.here(container, value)];
  });
  const health = Object.fromEntries(told.filter(([key]) => !key.endsWith("_HEALTH_PORT") || portKeys.includes(key)));
  const { NODE_COMPILE_CACHE: cache } = process.env;
  return {
    PATH: searchPath(),
    ...health,
    ...(cache ? { NODE_COMPILE_CACHE: cache } : {}),
  };
}

// The addresses that `parley secrets` has made lead to a replica set with a user; the stand-in has neither.
function useStandIn(dir: string, storeUrl: string): void {
  for (const file of globSync("volumes/secrets/*/store-url", { cwd: dir })) writeFileSync(join(dir, file), storeUrl);
}

function conditionsOn(services: readonly ComposeService[], name: string): string[] {
  return services.flatMap(({ dependsOn }) => dependsOn[name] ?? []);
}

/** Groups, each of which waits for those before it. */
function inOrder(services: readonly ComposeService[]): ComposeService[][] {
  const groups: ComposeService[][] = [];
  const names = new Set(services.map(({ name }) => name));
  const done = new Set<string>();
  while (done.size < services.length) {
    const ready = services.filter(
      ({ name, dependsOn }) =>
        !done.has(name) && Object.keys(dependsOn).every((other) => done.has(other) || !names.has(other)),
    );
    if (ready.length === 0) throw new Error("docker-compose.yml: services wait for each other in a circle");
    for (const { name } of ready) done.add(name);
    groups.push(ready);
  }
  return groups;
}
