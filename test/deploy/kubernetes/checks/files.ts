// Files that containers are told of by a path, held against what is mounted there; and the images that they come from.
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { settingsOf } from "../../settings-of.ts";
import { type Container, containersOf, type Pod, podOf, type Resource } from "../resources.ts";
import { environmentOf } from "./containers.ts";
import type { SecretKeys } from "./references.ts";

const root = join(import.meta.dirname, "../../../..");

interface Source {
  secret?: { secretName?: string; name?: string; items?: { key: string; path: string }[] };
  configMap?: { name: string; items?: { key: string; path: string }[] };
  projected?: { sources: Source[] };
  emptyDir?: object;
}

/** Files of one volume by their path in it, with their text where it is known; undefined: it may hold anything. */
type Files = Map<string, string | undefined> | undefined;

export function fileComplaints(resources: readonly Resource[], secrets: SecretKeys): string[] {
  return resources.flatMap((resource) => {
    const pod = podOf(resource)?.spec;
    if (pod === undefined) return [];
    return containersOf(resource).flatMap((container) => {
      const where = `${resource.kind} ${resource.metadata.name}`;
      const mounted = filesOf(container, pod, resources, secrets);
      const named = [...pathsOf(container, resources), ...mounted.flatMap(({ path, text }) => includes(path, text))];
      const folders = foldersOf(container, pod);
      return named
        .filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)))
        .filter((path) => !mounted.some((file) => file.path === path || file.path.startsWith(`${path}/`)))
        .map((path) => `${where}: it is told of ${path}, and nothing puts that there`);
    });
  });
}

/** Mounts whose content is fixed. */
function foldersOf({ volumeMounts = [] }: Container, pod: Pod): string[] {
  const isFixed = (name: string) => {
    const volume = pod.volumes?.find((one) => one.name === name) as Source | undefined;
    return volume !== undefined && volume.emptyDir === undefined;
  };
  return volumeMounts
    .filter(({ name, subPath }) => subPath === undefined && isFixed(name))
    .map(({ mountPath }) => mountPath);
}

function filesOf(container: Container, pod: Pod, resources: readonly Resource[], secrets: SecretKeys) {
  return (container.volumeMounts ?? []).flatMap(({ name, mountPath, subPath }) => {
    const volume = pod.volumes?.find((one) => one.name === name) as Source | undefined;
    const files = volume === undefined ? undefined : sourceFiles(volume, resources, secrets);
    return [...(files ?? [])]
      .filter(([path]) => subPath === undefined || path === subPath)
      .map(([path, text]) => ({ path: subPath === undefined ? posix.join(mountPath, path) : mountPath, text }));
  });
}

function sourceFiles(source: Source, resources: readonly Resource[], secrets: SecretKeys): Files {
  if (source.projected !== undefined) {
    return new Map(source.projected.sources.flatMap((one) => [...(sourceFiles(one, resources, secrets) ?? [])]));
  }
  const { configMap, secret } = source;
  const map = resources.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMap?.name);
  const texts: Record<string, string | undefined> = configMap
    ? ((map?.data ?? {}) as Record<string, string>)
    : Object.fromEntries((secrets[secret?.secretName ?? secret?.name ?? ""] ?? []).map((key) => [key, undefined]));
  const items = configMap?.items ?? secret?.items;
  if (items === undefined) return new Map(Object.entries(texts));
  return new Map(items.filter(({ key }) => key in texts).map(({ key, path }) => [path, texts[key]]));
}

function pathsOf(container: Container, resources: readonly Resource[]): string[] {
  const { args = [], command = [] } = container;
  const values = Object.entries(environmentOf(container, resources))
    // The folder itself is known to the check of containers; a setting of another service is none of this one's.
    .filter(([name]) => name !== "PARLEY_SECRETS" && isOwn(container, name))
    .map(([, value]) => value ?? "");
  const words = [...args, ...command, ...values].flatMap((text) => text.split(/[\s;&]+/));
  return words.filter((word) => word.startsWith("/"));
}

function isOwn({ args: [service = ""] = [], env = [] }: Container, name: string): boolean {
  return env.some((one) => one.name === name) || Object.keys(settingsOf(service)?.properties ?? {}).includes(name);
}

// nats.conf, redis.conf: `include FILE`, relative to the file that says so.
function includes(path: string, text = ""): string[] {
  return [...text.matchAll(/^include\s+["']?([^"'\s;]+)/gm)].map(([, file = ""]) =>
    posix.resolve(posix.dirname(path), file),
  );
}

/** Images without a version, other versions than docker-compose.yml has, and another user than the image's. */
export function imageComplaints(resources: readonly Resource[]): string[] {
  const compose = readFileSync(join(root, "docker-compose.yml"), "utf8");
  const user = /^USER (\d+):/m.exec(readFileSync(join(root, "deploy/Dockerfile"), "utf8"))?.[1];
  return resources.flatMap((resource) =>
    containersOf(resource).flatMap(({ image }) => {
      const where = `${resource.kind} ${resource.metadata.name}`;
      const [, name = image, tag] = /^(.*):([^:/]+)$/.exec(image) ?? [];
      if (tag === undefined || tag === "latest") return [`${where}: ${image} has no version`];
      const { runAsUser } = (podOf(resource)!.spec.securityContext ?? {}) as { runAsUser?: number };
      if (name.endsWith("parley"))
        return String(runAsUser) === user ? [] : [`${where}: the image's user is ${user}, not ${runAsUser}`];
      const others = [...compose.matchAll(/image: (\S+)/g)]
        .map(([, one = ""]) => one)
        .filter((one) => one.startsWith(`${name}:`));
      return others.every((one) => one === image)
        ? []
        : [`${where}: ${image} here, ${others[0]} in docker-compose.yml`];
    }),
  );
}
