// Holds what test/deploy/kubernetes/build.ts makes against what Kustomize makes: the same objects, apart from the order of lists of
// named things and from the hash that Kustomize puts behind the names of generated ConfigMaps.
import type { Resource } from "./resources.ts";

/** One line for each object that is in one of them only, or differs, with the first field that does. */
export function differences(ours: readonly Resource[], kustomizes: readonly Resource[]): string[] {
  const generated = new Map(
    kustomizes
      .filter(({ kind }) => kind === "ConfigMap")
      .map(({ metadata: { name } }) => [name, name.replace(/-[a-z0-9]{10}$/, "")]),
  );
  const theirs = new Map(kustomizes.map((one) => [nameOf(plain(one)), plain(one)]));
  const own = new Map(ours.map((one) => [nameOf(one), plain(one)]));
  return [...new Set([...own.keys(), ...theirs.keys()])].flatMap((name) => {
    const [a, b] = [own.get(name), theirs.get(name)];
    if (a === undefined) return [`${name}: Kustomize alone makes it`];
    if (b === undefined) return [`${name}: Kustomize does not make it`];
    const path = firstDifference(a, b, "");
    return path === undefined ? [] : [`${name}: ${path}`];
  });

  function plain(resource: Resource): Resource {
    const text = JSON.stringify(canonical(resource));
    return JSON.parse(
      [...generated].reduce((changed, [name, short]) => changed.replaceAll(`"${name}"`, `"${short}"`), text),
    ) as Resource;
  }
}

function nameOf({ kind, metadata }: Resource): string {
  return `${kind} ${metadata.name}`;
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(canonical);
    return items.every((item) => typeof item === "object")
      ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
      : items;
  }
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, one]) => [key, canonical(one)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function firstDifference(a: unknown, b: unknown, path: string): string | undefined {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return a === b ? undefined : `${path}: ${JSON.stringify(a)} here, ${JSON.stringify(b)} by Kustomize`;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference((a as never)[key], (b as never)[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
