// The parts of a cluster, each replica under supervision.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clocks } from "../faults/clocks.ts";
import type { Links } from "../faults/links.ts";
import type { ServerDoor } from "../parts/server.ts";
import { type ServerName, serverNames, servers } from "../parts/servers.ts";
import { askHealth, type ServiceName, serviceNames, serviceProgram, type Wiring } from "../parts/services.ts";
import type { Environment } from "../processes/child.ts";
import { type Supervised, type SupervisedOptions, supervise } from "../processes/supervise.ts";

/** A part by its folder's or program's name. */
export type Part = ServerName | ServiceName;

const partNames: readonly Part[] = [...serverNames, ...serviceNames];

type Hooks = Pick<SupervisedOptions, "log" | "changed" | "trouble"> & {
  doors: Record<ServerName, ServerDoor>;
  env: Environment;
  links: Links | undefined;
  clocks: Clocks | undefined;
};

/** Every part named, not yet started. */
export function superviseParts(
  wanted: readonly Part[] = partNames,
  wiring: Wiring,
  hooks: Hooks,
): Map<Part, Supervised[]> {
  return new Map(
    wanted.map((part) => {
      const isServer = serverNames.includes(part as ServerName);
      const all = isServer
        ? [superviseServer(part as ServerName, wiring, hooks)]
        : superviseService(part as ServiceName, wiring, hooks);
      return [part, all];
    }),
  );
}

function superviseServer(name: ServerName, { dir }: Wiring, hooks: Hooks): Supervised {
  const door = hooks.doors[name];
  return supervise({
    ...hooks,
    name,
    prepare: (lastWord) =>
      servers[name].prepare(
        { ...door, dir: join(dir, name) },
        lastWord === undefined ? undefined : { lastWord, log: hooks.log },
      ),
    probe: async () => (await servers[name].ready(door)) || "it does not answer",
    logFile: join(dir, "logs", `${name}.log`),
  });
}

function superviseService(service: ServiceName, wiring: Wiring, hooks: Hooks): Supervised[] {
  const replicas = wiring.replicas[service];
  return replicas.map((own, index) => {
    const name = replicas.length === 1 ? service : `${service}-${index + 1}`;
    const env = { PARLEY_INSTANCE: name, ...hooks.env, ...hooks.clocks?.envOf(name) };
    return supervise({
      ...hooks,
      name,
      prepare: () => serviceProgram(service, hooks.links?.wiringOf(service, index) ?? wiring, own, env),
      probe: () => askHealth(own.health),
      logFile: join(wiring.dir, "logs", `${name}.log`),
      ...(dispensable[service] && { without: dispensable[service] }),
    });
  });
}

/** What is said when its settings are wrong, and all others start without it. */
const dispensable: Partial<Record<ServiceName, string>> = {
  push: "chat goes on, and nobody is notified until its settings are right and Parley is started again",
};

const probeMs = 50;
const progressMs = 5_000;
/** Until then all wait for each other, and why they do is no news. */
const calmMs = 30_000;

/**
 * Says of each process when it is ready, and every 5 s in one line which are still starting; when it takes long, what they wait for.
 * Resolves when all are, or when it is `given.up`.
 */
export async function announceReady(
  supervised: Map<Part, Supervised[]>,
  log: (line: string) => void,
  given: { up: boolean },
): Promise<void> {
  const startedAt = performance.now();
  const waiting = new Map<string, string>();
  const elapsedMs = () => performance.now() - startedAt;
  const announce = async (one: Supervised) => {
    while (!given.up && !one.isGivenUp()) {
      const readiness = await one.probe();
      if (readiness === true) {
        waiting.delete(one.name);
        return log(`${one.name} ready (${(elapsedMs() / 1_000).toFixed(1)} s)`);
      }
      waiting.set(one.name, readiness);
      await sleep(probeMs);
    }
  };
  const progress = setInterval(() => {
    if (waiting.size > 0) log(progressLine(waiting, elapsedMs()));
  }, progressMs);
  await Promise.all([...supervised.values()].flat().map(announce)).finally(() => clearInterval(progress));
}

/** `waiting`: name → what it waits for. */
export function progressLine(waiting: ReadonlyMap<string, string>, elapsedMs: number): string {
  const seconds = `${Math.round(elapsedMs / 1_000)} s`;
  if (elapsedMs < calmMs) return `still starting (${seconds}): ${[...waiting.keys()].join(", ")}`;
  const reasons = [...waiting].map(([name, reason]) => `${name} (${reason})`);
  return `waiting for ${reasons.join(", ")} for ${seconds}; logs are in the folder logs`;
}
