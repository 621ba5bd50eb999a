// The containers of Parley's services as manifests describe them, held against what the services read and listen on.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { complaintsAbout, type DescribedContainer } from "../../check-container.ts";
import { serviceNames, settingsOf } from "../../settings-of.ts";
import { type Container, podOf, type Resource } from "../resources.ts";

const root = join(import.meta.dirname, "../../../..");
const partOf = "app.kubernetes.io/part-of";

/** Workloads whose pods run Parley's image. */
export function workloadsOf(resources: readonly Resource[]): Resource[] {
  return resources.filter((one) => podOf(one)?.metadata.labels?.[partOf] === "parley");
}

/** The one container of a workload that is a service, and which service. */
export function serviceOf(workload: Resource): { container: Container; service: string } {
  const [container] = podOf(workload)?.spec.containers ?? [];
  if (container === undefined) throw new Error(`${workload.metadata.name} has no container`);
  return { container, service: container.args?.[0] ?? "" };
}

/** What a container is told; undefined: a secret tells it. Settings of the shared ConfigMap included. */
export function environmentOf(
  container: Container,
  resources: readonly Resource[],
): Record<string, string | undefined> {
  const shared = (container.envFrom ?? []).flatMap(({ configMapRef }) => {
    const map = resources.find(({ kind, metadata }) => kind === "ConfigMap" && metadata.name === configMapRef?.name);
    return Object.entries((map?.data ?? {}) as Record<string, string>);
  });
  const own = (container.env ?? []).map(({ name, value }) => [name, value] as const);
  return Object.fromEntries([...shared, ...own]);
}

/** A secret of the shared folder that a setting may give instead. */
const givenInstead: Readonly<Record<string, string>> = { "vapid-key": "PUSH_VAPID_KEY" };

/** Does a service with this environment read the folder of secrets that all services share? */
export function readsSecrets(service: string, env: Readonly<Record<string, unknown>>): boolean {
  return globSync(`services/${service}/src/**/*.ts`, { cwd: root }).some((file) => {
    const text = readFileSync(join(root, file), "utf8");
    const names = [...text.matchAll(/\bsecretText\("([\w-]+)"\)/g)].map(([, name = ""]) => name);
    return /\bsecrets\(\)/.test(text) || names.some((name) => !((givenInstead[name] ?? name) in env));
  });
}

export function portNumber(container: Container, port: string | number | undefined): number {
  if (typeof port === "number") return port;
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? Number.NaN;
}

/** Every complaint; none: each service is told what it needs, and nothing that nobody knows. */
export function containerComplaints(resources: readonly Resource[]): string[] {
  return workloadsOf(resources).flatMap((one) => complaintsOf(one, resources));
}

function complaintsOf(workload: Resource, resources: readonly Resource[]): string[] {
  const { container, service } = serviceOf(workload);
  const described = describe(workload, resources);
  const reads = readsSecrets(service, described.env);
  const mounted = described.mounts.some(({ path }) => path === described.env.PARLEY_SECRETS);
  return [
    ...complaintsAbout(described).filter((one) => reads || !/PARLEY_SECRETS is .* nothing is mounted/.test(one)),
    ...(mounted && !reads ? [`${described.where}: it has the secrets of all services, and reads none of them`] : []),
    ...["startupProbe", "livenessProbe", "readinessProbe"]
      .filter((probe) => !(probe in container))
      .map((probe) => `${described.where}: it has no ${probe}`),
    ...(container.livenessProbe?.httpGet?.path === "/health/live"
      ? []
      : [`${described.where}: livenessProbe kills it when something else is away`]),
    ...(container.startupProbe?.httpGet?.path === "/health/live"
      ? []
      : [`${described.where}: startupProbe kills it when something else is away`]),
    ...(container.readinessProbe?.httpGet?.path === "/health/ready"
      ? []
      : [`${described.where}: readinessProbe does not ask whether it is ready`]),
  ];
}

function describe(workload: Resource, resources: readonly Resource[]): DescribedContainer {
  const { container } = serviceOf(workload);
  const pod = podOf(workload)!.spec;
  const volumes = new Map((pod.volumes ?? []).map((volume) => [volume.name, volume]));
  const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe].flatMap((probe) =>
    probe?.httpGet === undefined ? [] : [{ path: probe.httpGet.path, port: portNumber(container, probe.httpGet.port) }],
  );
  return {
    where: workload.metadata.name,
    args: container.args ?? [],
    env: environmentOf(container, resources),
    imageEnv: serviceNames.flatMap((name) => Object.keys(settingsOf(name)?.properties ?? {})),
    ports: (container.ports ?? []).map(({ containerPort }) => containerPort),
    probes,
    mounts: (container.volumeMounts ?? []).map(({ name, mountPath, readOnly }) => ({
      path: mountPath,
      isReadOnly: readOnly === true || volumes.get(name)?.emptyDir === undefined,
    })),
    isRootReadOnly: container.securityContext?.readOnlyRootFilesystem === true,
  };
}
