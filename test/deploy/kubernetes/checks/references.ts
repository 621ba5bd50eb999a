// What one object says of another: Services of pods and ports, containers of maps and secrets, all of it by name.
import { containersOf, podOf, type Resource } from "../resources.ts";
import { portNumber } from "./containers.ts";

/** Keys by the names of Secrets: those that the operator makes. */
export type SecretKeys = Readonly<Record<string, readonly string[]>>;

export function referenceComplaints(resources: readonly Resource[], secrets: SecretKeys): string[] {
  return [
    ...resources.flatMap((one) =>
      secretReferences(one).flatMap(([name, key]) => missingSecret(one, secrets, name, key)),
    ),
    ...resources.flatMap((one) => missingMaps(one, resources)),
    ...resources.filter(({ kind }) => kind === "Service").flatMap((one) => servedPorts(one, resources)),
    ...resources.filter(({ kind }) => kind === "Ingress").flatMap((one) => ingressBackends(one, resources)),
    ...resources.flatMap((one) => unmountedVolumes(one)),
  ];
}

/** Every Secret that an object reads, and of it which key; undefined: all of it. */
export function secretReferences(resource: Resource): [name: string, key: string | undefined][] {
  return below(resource.spec);
}

function below(value: unknown): [name: string, key: string | undefined][] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([field, one]) => {
    if (field === "secretKeyRef") return [[one.name, one.key]];
    if (field === "secretRef" && one.name !== undefined) return [[one.name, undefined]];
    return field === "secret" && typeof one === "object" ? ofVolume(one) : below(one);
  });
}

function ofVolume(volume: { secretName?: string; name?: string; items?: { key: string }[] }) {
  const name = volume.secretName ?? volume.name ?? "";
  const keys = volume.items?.map(({ key }) => key) ?? [undefined];
  return keys.map((key): [string, string | undefined] => [name, key]);
}

function missingSecret(from: Resource, secrets: SecretKeys, name: string, key: string | undefined): string[] {
  const keys = secrets[name];
  const where = `${from.kind} ${from.metadata.name}`;
  if (keys === undefined) return [`${where}: nobody makes the Secret ${name}`];
  return key === undefined || keys.includes(key) ? [] : [`${where}: the Secret ${name} has no ${key}`];
}

function missingMaps(from: Resource, resources: readonly Resource[]): string[] {
  const pod = podOf(from)?.spec;
  const named = [
    ...containersOf(from).flatMap(({ envFrom = [] }) => envFrom.map(({ configMapRef }) => configMapRef?.name)),
    ...(pod?.volumes ?? []).map(({ configMap }) => configMap?.name),
  ];
  return named
    .filter((name) => name !== undefined)
    .filter((name) => !resources.some(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === name))
    .map((name) => `${from.kind} ${from.metadata.name}: there is no ConfigMap ${name}`);
}

function unmountedVolumes(from: Resource): string[] {
  const volumes = podOf(from)?.spec.volumes ?? [];
  const claims = ((from.spec ?? {}) as { volumeClaimTemplates?: { metadata: { name: string } }[] })
    .volumeClaimTemplates;
  const names = [...volumes.map(({ name }) => name), ...(claims ?? []).map(({ metadata }) => metadata.name)];
  return containersOf(from).flatMap(({ volumeMounts = [] }) =>
    volumeMounts
      .filter(({ name }) => !names.includes(name))
      .map(({ name }) => `${from.kind} ${from.metadata.name}: it mounts ${name}, which is no volume of it`),
  );
}

interface ServiceSpec {
  selector?: Record<string, string>;
  ports?: { name?: string; port: number; targetPort?: string | number }[];
}

/** Workloads whose pods a Service leads to. */
export function servedBy(service: Resource, resources: readonly Resource[]): Resource[] {
  const selector = Object.entries((service.spec as ServiceSpec).selector ?? {});
  return resources.filter((one) => {
    // A StatefulSet gives each of its pods its own name for a label.
    const labels = { ...podOf(one)?.metadata.labels, "statefulset.kubernetes.io/pod-name": ordinal(one, selector) };
    return (
      podOf(one) !== undefined &&
      selector.length > 0 &&
      selector.every(([key, value]) => labels[key as keyof typeof labels] === value)
    );
  });
}

function ordinal({ kind, metadata }: Resource, selector: [string, string][]): string | undefined {
  const wanted = selector.find(([key]) => key === "statefulset.kubernetes.io/pod-name")?.[1];
  return kind === "StatefulSet" && wanted?.replace(/-\d+$/, "") === metadata.name ? wanted : undefined;
}

// Pods of a server that is installed otherwise are not among the resources: nothing is known of their ports here.
function servedPorts(service: Resource, resources: readonly Resource[]): string[] {
  const { selector = {}, ports = [] } = service.spec as ServiceSpec;
  const served = servedBy(service, resources);
  const where = `Service ${service.metadata.name}`;
  const isOutside = Object.keys(selector).some((key) => key.startsWith("parley/"));
  if (served.length === 0) return isOutside ? [] : [`${where}: it leads to no pod`];
  return ports.flatMap(({ port, targetPort = port }) => {
    const has = served.some((one) =>
      containersOf(one).some((container) => {
        const number = portNumber(container, targetPort);
        return container.ports?.some(({ containerPort }) => containerPort === number);
      }),
    );
    return has
      ? []
      : [`${where}: ${targetPort} is no port of ${served.map(({ metadata }) => metadata.name).join(", ")}`];
  });
}

interface IngressSpec {
  rules?: {
    http?: { paths: { backend: { service?: { name: string; port: { name?: string; number?: number } } } }[] };
  }[];
}

function ingressBackends(ingress: Resource, resources: readonly Resource[]): string[] {
  const paths = ((ingress.spec as IngressSpec).rules ?? []).flatMap(({ http }) => http?.paths ?? []);
  return paths.flatMap(({ backend: { service } }) => {
    const found = resources.find(({ kind, metadata }) => kind === "Service" && metadata.name === service?.name);
    const ports = (found?.spec as ServiceSpec | undefined)?.ports ?? [];
    const { name, number } = service?.port ?? {};
    const has = ports.some((one) => one.name === name || one.port === number);
    return has
      ? []
      : [`Ingress ${ingress.metadata.name}: there is no Service ${service?.name} with the port ${name ?? number}`];
  });
}
