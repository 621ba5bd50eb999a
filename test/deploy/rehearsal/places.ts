// Where a container's paths and addresses are in a rehearsal: folders of one temporary folder, and free ports of 127.0.0.1.
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { freePort } from "@parley/testkit";
import { isOurs } from "../compose/check-compose.ts";
import { type Compose, type ComposeService, root } from "../compose/read-compose.ts";
import type { Image } from "../image/dockerfile.ts";
import { listenedPorts, settingsOf } from "../settings-of.ts";

/** The ports that a server listens on inside its container, those for its own health check too. */
const serverPorts: Record<string, number[]> = { nats: [4222, 8222], redis: [6379], mosquitto: [1884] };

export interface Container {
  service: ComposeService;
  isOurs: boolean;
  /** the image's environment and the compose file's, its own ports among them, as inside the container */
  env: Record<string, string>;
  /** settings of the ports that a service of ours listens on */
  portKeys: readonly string[];
  /** port inside → port of 127.0.0.1 */
  ports: Map<number, number>;
  /** path inside → path here, longest first */
  paths: [string, string][];
}

export interface Places {
  containers: Map<string, Container>;
  /** A text of the container's, with its paths and addresses as they are here. */
  here(container: Container, text: string): string;
}

/** Lays out what `services` need. Volumes are folders below `dir`; a subpath must be there when its container starts. */
export async function layOut(
  dir: string,
  compose: Compose,
  services: readonly ComposeService[],
  image: Image,
): Promise<Places> {
  const containers = new Map<string, Container>();
  for (const service of services) containers.set(service.name, await layContainer(dir, compose, service, image));
  return { containers, here: (container, text) => translate(containers, container, text) };
}

async function layContainer(dir: string, compose: Compose, service: ComposeService, image: Image): Promise<Container> {
  const ours = isOurs(compose, service);
  const settings = ours ? settingsOf(service.command[0] ?? "") : undefined;
  const told = ours ? { ...image.env, ...service.environment } : service.environment;
  const listened = settings === undefined ? {} : listenedPorts(settings, told);
  // Its own defaults too, where neither the image nor the compose file names a port.
  const env = { ...told, ...Object.fromEntries(Object.entries(listened).map(([key, port]) => [key, String(port)])) };
  const inside = ours ? Object.values(listened) : (serverPorts[service.name] ?? []);
  const ports = new Map<number, number>();
  for (const port of inside) ports.set(port, await freePort());
  const home = join(dir, "containers", service.name);
  mkdirSync(join(home, "tmp"), { recursive: true });
  const paths: [string, string][] = [["/tmp", join(home, "tmp")]];
  if (ours) {
    mkdirSync(join(home, "written"));
    paths.push(["/app", root], ["/usr/local/bin/node", process.execPath], ["/var/lib/parley", join(home, "written")]);
  }
  for (const { target } of service.mounts) paths.push([target, join(home, target)]);
  paths.sort(([one], [other]) => other.length - one.length);
  return { service, isOurs: ours, env, portKeys: Object.keys(listened), ports, paths };
}

/** Mounted files are copied, with what they say of paths and ports as it is here. As Docker, it refuses a subpath that is not there. */
export function mount(dir: string, places: Places, container: Container, rewrite: (text: string) => string): void {
  for (const { type, source, target, subpath = "" } of container.service.mounts) {
    const place = container.paths.find(([path]) => path === target)?.[1] ?? "";
    mkdirSync(dirname(place), { recursive: true });
    if (type === "bind") {
      const text = readFileSync(resolve(root, source), "utf8");
      // What is given to a container by an absolute path is not ours, and is given as it is.
      writeFileSync(place, isAbsolute(source) ? text : rewrite(places.here(container, text)));
      continue;
    }
    const volume = join(dir, "volumes", source, subpath);
    if (subpath !== "" && !existsSync(volume))
      throw new Error(`${container.service.name}: ${source} has no ${subpath} yet`);
    mkdirSync(volume, { recursive: true });
    symlinkSync(volume, place);
  }
}

function translate(containers: ReadonlyMap<string, Container>, own: Container, text: string): string {
  // In one go: a path here may well begin with one of the container's.
  const inside = own.paths.map(([path]) => path.replaceAll(".", "\\.")).join("|");
  const withPaths = text.replaceAll(
    new RegExp(`(?<![\\w/.-])(?:${inside})(?![\\w-])`, "g"),
    (path) => own.paths.find(([one]) => one === path)?.[1] ?? path,
  );
  return withPaths.replaceAll(/\b([\w-]+|127\.0\.0\.1|0\.0\.0\.0):(\d{2,5})\b/g, (all, host: string, port: string) => {
    const place = placeOf(containers, own, host, Number(port));
    return place === undefined ? all : `127.0.0.1:${place}`;
  });
}

// By the name of a container, by itself, or as devices come: by a port that is published.
function placeOf(containers: ReadonlyMap<string, Container>, own: Container, host: string, port: number) {
  if (/^(127\.0\.0\.1|0\.0\.0\.0)$/.test(host)) return own.ports.get(port);
  if (host === "localhost") return publishedAt(containers, port);
  return [...containers.values()]
    .filter(({ service }) => service.names.includes(host))
    .map(({ ports }) => ports.get(port))
    .find((place) => place !== undefined);
}

/** Where a published port is here. */
export function publishedAt(containers: ReadonlyMap<string, Container>, port: number): number | undefined {
  for (const { service, ports } of containers.values()) {
    const found = service.ports.find(({ published }) => published === port);
    if (found) return ports.get(found.target);
  }
  return undefined;
}
