// The whole of Parley on this machine, supervised: what `npm start` runs and tests use.
import { join } from "node:path";
import { readSecrets, readSecretText } from "@parley/runtime";
import { type Clocks, openClocks } from "../faults/clocks.ts";
import type { Link } from "../faults/link.ts";
import { type LinkedServer, type Links, startLinks } from "../faults/links.ts";
import { brokerSocketIn } from "../parts/mosquitto.ts";
import { makePrivate } from "../parts/private-files.ts";
import type { ServerDoor } from "../parts/server.ts";
import { passwordFiles, type ServerName, serverNames, servers } from "../parts/servers.ts";
import { serviceNames, services, type Wiring } from "../parts/services.ts";
import { socketPathIn } from "../parts/socket-path.ts";
import { SetupError } from "../processes/setup-error.ts";
import type { Supervised } from "../processes/supervise.ts";
import { checkStore } from "./check-store.ts";
import { controls, flushRedis, type Which } from "./controls.ts";
import { openDataFolder } from "./data-folder.ts";
import { type Front, startFront } from "./front.ts";
import { announceReady, type Part, superviseParts } from "./parts.ts";
import { type PortPlan, planPorts } from "./ports.ts";
import { endLeftovers, type Login, type RunFile, removeRunFile, writeRunFile } from "./run-file.ts";
import { checkReplicas, type PublicPorts, type Replicas } from "./settings.ts";

export type ClusterOptions = {
  /** The data folder, absolute. */
  dir: string;
  /** Wanted public ports; 0 (the default) = any free one. */
  ports?: PublicPorts;
  replicas?: Replicas;
  /** What to start; the default is everything. */
  parts?: readonly Part[];
  storeUrl?: string;
  /** Settings for the services, as in their `--help`. */
  env?: Record<string, string>;
  /** Puts a link between each replica of a service and each server: see `Cluster.link`. */
  links?: boolean;
  /** Gives each replica of a service a clock that can be set, where libfaketime is installed. */
  clocks?: boolean;
  /** One line on what happens. */
  log?: (line: string) => void;
  /** Ends a start under way. */
  signal?: AbortSignal;
};

export type Cluster = {
  dir: string;
  wiring: Wiring;
  /** The services' login at the broker's own port is `parley` with this password. */
  servicesSecret: string;
  /** What `run.json` says at this moment. */
  run(): RunFile;
  pid(part: Part, which?: Which): number | undefined;
  /** How often the part was started again, over all its replicas. */
  restarts(part: Part): number;
  /** Ends one process, which is then started again; resolves when it is gone. */
  kill(part: Part, options?: Which & { signal?: NodeJS.Signals }): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing until `resume`. */
  pause(part: Part, which?: Which): Promise<void>;
  resume(part: Part, which?: Which): Promise<void>;
  /** Ends a part and keeps it ended until `startPart`. */
  stopPart(part: Part, which?: Which): Promise<void>;
  startPart(part: Part, which?: Which): Promise<void>;
  /** Resolves when every replica of the part (of all parts) is ready. */
  waitReady(part?: Part, options?: { timeoutMs?: number }): Promise<void>;
  /** FLUSHALL: everything in Redis is gone. */
  flushRedis(): Promise<void>;
  /** The link between a replica of a service and a server it uses. */
  link(part: Part, server: LinkedServer, which?: Which): Link;
  /** Sets the wall clock of a replica of a service to this far from the real one. */
  setClock(part: Part, offsetMs: number, which?: Which): void;
  /** False without `clocks` or libfaketime. */
  hasClocks: boolean;
  /** Puts demo logins into `run.json`. */
  publishDemo(demo: Login[]): void;
  /** Ends everything, services before servers; `force` with kill -9. */
  close(options?: { force?: boolean }): Promise<void>;
};

// As the table of services says; the servers last.
const closingOrder: Part[][] = [
  ...([1, 2, 3, 4] as const).map((turn) => serviceNames.filter((name) => services[name].stops === turn)),
  serverNames,
];

/** Starts the parts, all at once, and resolves when all are ready. Throws a SetupError the user can mend. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { dir, log = () => {} } = options;
  const storeUrl = options.storeUrl ?? `sqlite:${join(dir, "data")}`;
  checkReplicas(options.replicas ?? {}, storeUrl);
  if (ownsStore(options.parts)) await checkStore(storeUrl);
  const folder = openDataFolder(dir);
  try {
    const leftovers = await endLeftovers(dir);
    if (leftovers > 0) log(`ended ${leftovers} processes that an earlier run had left behind`);
    const plan = await planPorts(options.ports ?? { http: 0, mqtt: 0, ws: 0 }, options.replicas ?? {}, log);
    const doors = openDoors(dir, plan);
    await makePrivate(join(dir, edgeFolder));
    const wiring = wire(dir, storeUrl, plan, doors);
    const links = options.links ? await startLinks(wiring) : undefined;
    const clocks = options.clocks ? openClocks(dir) : undefined;
    return await startParts({ ...options, log, wiring, doors, links, clocks }, plan, folder.release);
  } catch (error) {
    folder.release();
    throw error;
  }
}

type Resolved = Omit<ClusterOptions, "links" | "clocks"> & {
  log: (line: string) => void;
  wiring: Wiring;
  doors: Record<ServerName, ServerDoor>;
  links: Links | undefined;
  clocks: Clocks | undefined;
};

async function startParts(options: Resolved, plan: PortPlan, release: () => void): Promise<Cluster> {
  const { dir, log, wiring, doors, links, clocks } = options;
  const troubles = Promise.withResolvers<never>();
  troubles.promise.catch(() => {});
  let demo: Login[] = [];
  const given = { up: false };
  let started = false;
  let closed = false;
  const run = (): RunFile => ({
    http: `http://127.0.0.1:${wiring.public.http}`,
    mqtt: { host: "127.0.0.1", port: wiring.public.mqtt, ws: `ws://127.0.0.1:${wiring.public.ws}/mqtt` },
    demo,
    services: { nats: wiring.urls.nats, store: wiring.storeUrl },
    processes: Object.fromEntries([...supervised].map(([part, all]) => [part, all.flatMap((one) => one.pid() ?? [])])),
  });
  const changed = () => {
    if (!closed) writeRunFileOrSay(dir, run(), log);
  };
  const trouble = (message: string) => {
    if (started) log(`${message}; still trying`);
    else troubles.reject(new SetupError(message));
  };
  const hooks = { log, changed, trouble, doors, env: options.env ?? {}, links, clocks };
  const supervised = superviseParts(options.parts, wiring, hooks);
  const fronts: Front[] = [];

  const close = async ({ force = false } = {}): Promise<void> => {
    for (const group of closingOrder) {
      const members = group.flatMap((part) => supervised.get(part) ?? []);
      await Promise.all(members.map((one) => one.stop(force ? "SIGKILL" : "SIGTERM")));
    }
    await Promise.all(fronts.splice(0).map((front) => front.close()));
    if (closed) return;
    closed = true;
    await links?.close();
    removeRunFile(dir);
    release();
  };

  const cluster: Cluster = {
    dir,
    wiring,
    servicesSecret: doors.mosquitto.password,
    run,
    ...controls(supervised),
    flushRedis: () => flushRedis(wiring.urls.redis),
    ...faultsOf(supervised, links, clocks),
    publishDemo(logins) {
      demo = logins;
      changed();
    },
    close,
  };
  for (const all of supervised.values()) for (const one of all) one.start();
  try {
    const fronted = plan.fronts.map(async ({ port, targets }) => void fronts.push(await startFront(port, targets)));
    const ready = Promise.all([...fronted, announceReady(supervised, log, given)]);
    ready.catch(() => {});
    await Promise.race([ready, troubles.promise, aborted(options.signal)]);
  } catch (error) {
    given.up = true;
    await close({ force: options.signal?.aborted !== true });
    throw error;
  }
  started = true;
  return cluster;
}

function faultsOf(supervised: Map<Part, Supervised[]>, links: Links | undefined, clocks: Clocks | undefined) {
  return {
    hasClocks: clocks !== undefined,
    link(part: Part, server: LinkedServer, { index }: Which = {}): Link {
      if (!links) throw new Error("the cluster was started without links");
      return links.link(part, server, index);
    },
    setClock(part: Part, offsetMs: number, { index = 0 }: Which = {}): void {
      if (!clocks) throw new Error("the cluster was started without clocks, or libfaketime is not installed");
      clocks.set(supervised.get(part)?.[index]?.name ?? part, offsetMs);
    },
  };
}

function ownsStore(parts: readonly Part[] = serviceNames): boolean {
  return serviceNames.some((name) => services[name].ownsStore && parts.includes(name));
}

// Every secret is made here: a folder in which none can be made is told before anything runs.
function openDoors(dir: string, plan: PortPlan): Record<ServerName, ServerDoor> {
  const folder = join(dir, "secrets");
  readSecrets(folder);
  const doors = serverNames.map((name) => {
    const password = readSecretText(folder, passwordFiles[name]);
    return [name, { port: plan.servers[name], password }];
  });
  return Object.fromEntries(doors);
}

const edgeFolder = "edge";

function wire(dir: string, storeUrl: string, plan: PortPlan, doors: Record<ServerName, ServerDoor>): Wiring {
  const urls = {
    nats: servers["nats-server"].url(doors["nats-server"]),
    redis: servers["redis-server"].url(doors["redis-server"]),
    broker: servers.mosquitto.url(doors.mosquitto),
  };
  const brokerSocket = brokerSocketIn(join(dir, "mosquitto"));
  // Of several edges each has only some of a user's devices.
  const directSocket = plan.replicas.edge.length === 1 ? socketPathIn(join(dir, edgeFolder), "direct.sock") : undefined;
  return { dir, storeUrl, urls, brokerSocket, directSocket, public: plan.public, replicas: plan.replicas };
}

// A full disk must not end what still runs.
function writeRunFileOrSay(dir: string, run: RunFile, log: (line: string) => void): void {
  try {
    writeRunFile(dir, run);
  } catch (error) {
    log(`run.json could not be written: ${(error as Error).message}`);
  }
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new SetupError("stopped before everything was ready"));
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", stop, { once: true });
  });
}
