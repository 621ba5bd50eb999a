// A compose file as Compose reads it: merged, its variables replaced, its short forms made long.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { interpolate, mapTexts } from "./interpolate.ts";

export const root = join(import.meta.dirname, "../../..");

export interface Mount {
  type: "bind" | "volume";
  /** a file of the repository, or the name of a volume */
  source: string;
  target: string;
  subpath?: string;
  isReadOnly: boolean;
}

export interface ComposeService {
  name: string;
  image: string;
  isBuilt: boolean;
  profiles: string[];
  entrypoint?: string[];
  command: string[];
  environment: Record<string, string>;
  /** published port → port of the container */
  ports: { published: number; target: number }[];
  mounts: Mount[];
  tmpfs: string[];
  /** names under which others reach it */
  names: string[];
  networks: string[];
  dependsOn: Record<string, string>;
  healthcheck?: { test?: string[]; disable?: boolean };
  isReadOnly: boolean;
  stopGraceMs?: number;
  raw: Record<string, unknown>;
}

export interface Compose {
  services: Record<string, ComposeService>;
  volumes: string[];
  networks: Record<string, { internal?: boolean } | null>;
}

/** The document with its anchors merged, its variables as they are written. */
export function parseCompose(text: string): Record<string, unknown> {
  return parse(text, { merge: true, maxAliasCount: -1 });
}

interface Document {
  services: Record<string, Record<string, unknown>>;
  volumes?: Record<string, unknown>;
  networks?: Compose["networks"];
}

/** Throws the message that Compose would end with where a variable is needed and unset. `overlays`: further files, laid over the first. */
export function readCompose(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  overlays: readonly string[] = [],
): Compose {
  const read = (one: string) => mapTexts(parseCompose(one), (word) => interpolate(word, env)) as Document;
  const document = overlays.map(read).reduce(layOver, read(text));
  const services = Object.entries(document.services).map(([name, one]) => [name, readService(name, one)] as const);
  return {
    services: Object.fromEntries(services),
    volumes: Object.keys(document.volumes ?? {}),
    networks: document.networks ?? {},
  };
}

// What our overlays have: environments are joined, lists grow, all else is replaced.
function layOver(base: Document, overlay: Document): Document {
  const services = Object.entries(overlay.services).map(([name, over]) => {
    const under = base.services[name] ?? {};
    const environment = { ...(under.environment as object), ...(over.environment as object) };
    const volumes = [...((under.volumes as unknown[]) ?? []), ...((over.volumes as unknown[]) ?? [])];
    return [name, { ...under, ...over, environment, volumes }] as const;
  });
  return { ...base, ...overlay, services: { ...base.services, ...Object.fromEntries(services) } };
}

/** docker-compose.yml with files of deploy/compose laid over it, with the variables of .env and of `env`. */
export function readOurCompose(env: Readonly<Record<string, string>> = {}, ...overlays: string[]): Compose {
  const fileOf = (path: string) => readFileSync(join(root, path), "utf8");
  return readCompose(fileOf("docker-compose.yml"), { ...readDotEnv(), ...env }, overlays.map(fileOf));
}

/** What .env sets. */
export function readDotEnv(): Record<string, string> {
  const lines = readFileSync(join(root, ".env"), "utf8").split("\n");
  return Object.fromEntries(lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

/** The services that `docker compose --profile …` starts. */
export function startedWith({ services }: Compose, profiles: readonly string[]): ComposeService[] {
  return Object.values(services).filter(
    (one) => one.profiles.length === 0 || one.profiles.some((profile) => profiles.includes(profile)),
  );
}

function readService(name: string, raw: Record<string, unknown>): ComposeService {
  const networks = raw.networks ?? [];
  const aliases = Array.isArray(networks)
    ? []
    : Object.values(networks as Record<string, { aliases?: string[] } | null>).flatMap((one) => one?.aliases ?? []);
  const service: ComposeService = {
    name,
    image: String(raw.image),
    isBuilt: raw.build !== undefined,
    profiles: (raw.profiles as string[]) ?? [],
    command: words(raw.command),
    environment: readEnvironment(raw.environment),
    ports: ((raw.ports as (string | number)[]) ?? []).map(readPort),
    mounts: ((raw.volumes as unknown[]) ?? []).map(readMount),
    tmpfs: ((raw.tmpfs as string[]) ?? []).map((one) => one.split(":")[0]!),
    names: [name, ...aliases],
    networks: Array.isArray(networks) ? (networks as string[]) : Object.keys(networks as object),
    dependsOn: readDependsOn(raw.depends_on),
    isReadOnly: raw.read_only === true,
    raw,
  };
  if (raw.entrypoint !== undefined) service.entrypoint = words(raw.entrypoint);
  if (raw.healthcheck !== undefined)
    service.healthcheck = raw.healthcheck as NonNullable<ComposeService["healthcheck"]>;
  if (raw.stop_grace_period !== undefined) service.stopGraceMs = readDuration(String(raw.stop_grace_period));
  return service;
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : value === undefined ? [] : String(value).split(/\s+/);
}

function readEnvironment(value: unknown): Record<string, string> {
  if (!Array.isArray(value)) {
    const entries = Object.entries((value as Record<string, unknown>) ?? {});
    return Object.fromEntries(entries.map(([key, one]) => [key, String(one ?? "")]));
  }
  return Object.fromEntries(value.map((one) => String(one).split(/=(.*)/s).slice(0, 2)));
}

function readPort(value: string | number): { published: number; target: number } {
  const found = /^(?:[\d.]+:)?(\d+):(\d+)$/.exec(String(value));
  if (found === null) throw new Error(`ports: ${value} is not PUBLISHED:TARGET`);
  return { published: Number(found[1]), target: Number(found[2]) };
}

function readMount(value: unknown): Mount {
  if (typeof value === "string") {
    const [source = "", target = "", mode = ""] = value.split(":");
    const type = /^[./~]/.test(source) ? "bind" : "volume";
    return { type, source, target, isReadOnly: mode.split(",").includes("ro") };
  }
  const { type, source, target, read_only, volume } = value as {
    type: Mount["type"];
    source: string;
    target: string;
    read_only?: boolean;
    volume?: { subpath?: string };
  };
  const subpath = volume?.subpath;
  return { type, source, target, isReadOnly: read_only === true, ...(subpath === undefined ? {} : { subpath }) };
}

function readDependsOn(value: unknown): Record<string, string> {
  if (Array.isArray(value)) return Object.fromEntries(value.map((name) => [String(name), "service_started"]));
  const entries = Object.entries((value as Record<string, { condition: string }>) ?? {});
  return Object.fromEntries(entries.map(([name, { condition }]) => [name, condition]));
}

function readDuration(text: string): number {
  const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
  return [...text.matchAll(/(\d+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * units[unit as keyof typeof units],
    0,
  );
}
