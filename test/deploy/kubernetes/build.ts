// Builds a kustomization as `kustomize build` does, for the few of its words that deploy/k8s uses; any other word is refused.
// `npm run check:deploy` holds every overlay built here against what Kustomize itself makes of it.
import { readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { merge } from "./merge.ts";
import { containersOf, podOf, type Resource } from "./resources.ts";
import { readYaml } from "./yaml.ts";

interface Generator {
  name: string;
  behavior?: "create" | "merge";
  literals?: string[];
  files?: string[];
}

interface Patch {
  path: string;
  target?: { kind?: string; name?: string; labelSelector?: string };
}

interface Kustomization {
  resources?: string[];
  components?: string[];
  namespace?: string;
  configMapGenerator?: Generator[];
  generatorOptions?: { disableNameSuffixHash?: boolean };
  patches?: Patch[];
  images?: { name: string; newName?: string; newTag?: string }[];
  replicas?: { name: string; count: number }[];
}

const words = [
  ...["apiVersion", "kind", "namespace", "resources", "components", "configMapGenerator", "generatorOptions"],
  ...["patches", "images", "replicas"],
];

/** Every object of a folder with a kustomization.yaml. A name made by a generator has no hash behind it here. */
export function build(folder: string): Resource[] {
  return apply(folder, []);
}

function readKustomization(folder: string): Kustomization {
  const file = join(folder, "kustomization.yaml");
  const [read] = readYaml(file) as [Record<string, unknown>];
  const strange = Object.keys(read).find((key) => !words.includes(key));
  if (strange) throw new Error(`${file}: ${strange} is a word that test/deploy/kubernetes/build.ts does not know`);
  return read;
}

function apply(folder: string, before: readonly Resource[]): Resource[] {
  const kustomization = readKustomization(folder);
  let resources = [...before];
  for (const path of kustomization.resources ?? []) {
    const whole = join(folder, path);
    resources.push(...(statSync(whole).isDirectory() ? build(whole) : (readYaml(whole) as Resource[])));
  }
  for (const generator of kustomization.configMapGenerator ?? []) resources = generate(resources, generator, folder);
  for (const path of kustomization.components ?? []) resources = apply(join(folder, path), resources);
  for (const patch of kustomization.patches ?? []) resources = patchAll(resources, patch, folder);
  refuseTwins(folder, resources);
  return resources.map((resource) => finish(resource, kustomization));
}

function generate(resources: readonly Resource[], generator: Generator, folder: string): Resource[] {
  const { name, behavior = "create", literals = [], files = [] } = generator;
  const data = Object.fromEntries([
    ...literals.map((literal) => [literal.slice(0, literal.indexOf("=")), literal.slice(literal.indexOf("=") + 1)]),
    ...files.map((file) => [basename(file), readFileSync(join(folder, file), "utf8")]),
  ]);
  const found = resources.find((one) => one.kind === "ConfigMap" && one.metadata.name === name);
  if (behavior === "create") return [...resources, { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data }];
  if (found === undefined) throw new Error(`${folder}: there is no ConfigMap ${name} to merge into`);
  const merged = { ...found, data: { ...(found.data as Record<string, string>), ...data } };
  return resources.map((one) => (one === found ? merged : one));
}

function patchAll(resources: readonly Resource[], { path, target }: Patch, folder: string): Resource[] {
  const [patch] = readYaml(join(folder, path)) as [Resource];
  const isMeant = (one: Resource) =>
    target === undefined
      ? one.kind === patch.kind && one.metadata.name === patch.metadata.name
      : new RegExp(`^(${target.kind ?? ".*"})$`).test(one.kind) &&
        new RegExp(`^(${target.name ?? ".*"})$`).test(one.metadata.name) &&
        hasLabels(one, target.labelSelector);
  if (!resources.some(isMeant)) throw new Error(`${join(folder, path)}: there is nothing that it could patch`);
  return resources.map((one) => {
    if (!isMeant(one)) return one;
    const { name } = one.metadata;
    const { metadata, ...changes } = patch;
    return merge(one, { ...changes, kind: one.kind, metadata: { ...metadata, name } });
  });
}

function hasLabels({ metadata }: Resource, selector: string | undefined): boolean {
  return (selector?.split(",") ?? []).every((pair) => {
    const [key = "", value] = pair.split("=");
    return metadata.labels?.[key] === value;
  });
}

function refuseTwins(folder: string, resources: readonly Resource[]): void {
  const names = resources.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  const twin = names.find((name, index) => names.indexOf(name) !== index);
  if (twin) throw new Error(`${folder}: ${twin} is there twice`);
}

function finish(resource: Resource, { namespace, images = [], replicas = [] }: Kustomization): Resource {
  const copy = structuredClone(resource);
  if (namespace !== undefined && copy.kind === "Namespace") copy.metadata.name = namespace;
  else if (namespace !== undefined) copy.metadata.namespace = namespace;
  const count = replicas.find(({ name }) => name === copy.metadata.name)?.count;
  if (count !== undefined && podOf(copy)) (copy.spec as { replicas: number }).replicas = count;
  for (const container of containersOf(copy)) {
    const [name, tag] = container.image.split(/:(?=[^/:]*$)/) as [string, string | undefined];
    const image = images.find((one) => one.name === name);
    if (image) container.image = [image.newName ?? name, image.newTag ?? tag].filter(Boolean).join(":");
  }
  return copy;
}
