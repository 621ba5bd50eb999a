// What is wrong with docker-compose.yml: held against the image, the services' settings, the files of the repository and the secrets
// that `parley secrets` makes.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddresses } from "../../../packages/cli/src/secrets/make-secrets.ts";
import { complaintsAbout, type DescribedContainer } from "../check-container.ts";
import { type Image, readDockerfile } from "../image/dockerfile.ts";
import { withMadeSecrets } from "../made-secrets.ts";
import { listenedPorts, serviceNames, settingsOf } from "../settings-of.ts";
import { referencesIn } from "./interpolate.ts";
import { type Compose, type ComposeService, readCompose, readDotEnv, root } from "./read-compose.ts";

/** How long a service may take to end; Docker kills it when the grace period is over. */
const drainMs = 10_000;
/** The ports that other services reach third-party servers at; their configurations in deploy/ say the same. */
const serverPorts: Record<string, number[]> = {
  nats: [4222],
  redis: [6379],
  mongo: [27017],
  emqx: [1883, 1884, 8083, 18083],
  vernemq: [1883, 1884, 8083, 8888],
  mosquitto: [1884],
};

/** Every complaint, one line each; none: it fits. */
export function complaintsAboutCompose(text: string, image: Image = readDockerfile()): string[] {
  const unset = unsafeVariables(text);
  if (unset.length > 0) return unset;
  const compose = readCompose(text, readDotEnv());
  const all = Object.values(compose.services);
  const ours = all.filter((one) => isOurs(compose, one));
  return [
    ...ours.flatMap((one) => complaintsAbout(describe(one, image))),
    ...ours.flatMap((one) => wrongDrain(one)),
    ...all.flatMap((one) => [
      ...wrongMounts(compose, one),
      ...wrongOrder(compose, one),
      ...wrongNetworks(compose, one),
    ]),
    ...ours.flatMap((one) => wrongAddresses(compose, one, image)),
    ...all.flatMap((one) => strangeDoors(one)),
    ...wrongSecrets(compose),
    ...missingServices(ours),
  ];
}

/** Its own image, whatever it is called: that of whoever is built. */
export function isOurs({ services }: Compose, { image }: ComposeService): boolean {
  return Object.values(services).some((one) => one.isBuilt && one.image === image);
}

function argsOf({ command, entrypoint = [] }: ComposeService): string[] {
  return [...entrypoint.slice(2), ...command];
}

export function describe(service: ComposeService, image: Image): DescribedContainer {
  return {
    where: service.name,
    args: argsOf(service),
    env: { ...image.env, ...service.environment },
    imageEnv: Object.keys(image.env).filter((name) => !(name in service.environment)),
    ports: service.ports.map(({ target }) => target),
    probes: [],
    mounts: [
      ...service.mounts.map(({ target, isReadOnly }) => ({ path: target, isReadOnly })),
      ...service.tmpfs.map((path) => ({ path, isReadOnly: false })),
    ],
    isRootReadOnly: service.isReadOnly,
  };
}

function unsafeVariables(text: string): string[] {
  const withoutComments = text.replaceAll(/^\s*#.*$/gm, "");
  return referencesIn(withoutComments)
    .filter(({ operator }) => operator === "" || operator === "-" || operator === "?")
    .map(({ name }) => `\${${name}} has no default and no message: write \${${name}:-…} or \${${name}:?…}`);
}

function wrongDrain({ name, stopGraceMs = 10_000, raw, command }: ComposeService): string[] {
  const isService = serviceNames.includes(command[0] ?? "");
  if (!isService) return [];
  return [
    ...(stopGraceMs > drainMs
      ? []
      : [`${name}: it may take ${drainMs} ms to end, and is killed after ${stopGraceMs} ms`]),
    ...(["always", "unless-stopped"].includes(String(raw.restart)) ? [] : [`${name}: nobody starts it again`]),
  ];
}

function wrongMounts(compose: Compose, { name, mounts }: ComposeService): string[] {
  return mounts.flatMap(({ type, source, target }) => {
    if (type === "volume" && !compose.volumes.includes(source)) return [`${name}: ${source} is no volume of this file`];
    if (type === "bind" && !existsSync(join(root, source))) return [`${name}: ${source} (${target}) is not there`];
    return [];
  });
}

function wrongOrder({ services }: Compose, { name, dependsOn, mounts }: ComposeService): string[] {
  const wrong = Object.entries(dependsOn).flatMap(([other, condition]) => {
    const found = services[other];
    if (found === undefined) return [`${name}: waits for ${other}, which is not there`];
    const ends = found.raw.restart === "no" || found.raw.restart === "on-failure";
    if (condition === "service_completed_successfully" && !ends) return [`${name}: waits for the end of ${other}`];
    if (condition === "service_healthy" && (ends || found.healthcheck?.disable))
      return [`${name}: waits until ${other} is healthy, which nobody asks`];
    return [];
  });
  const early = mounts.some(({ subpath }) => subpath !== undefined) && !reaches(services, name, "secrets");
  return [
    ...wrong,
    ...(early ? [`${name}: its secrets are mounted before they are made: it must wait for secrets`] : []),
  ];
}

function reaches(services: Compose["services"], from: string, to: string): boolean {
  return Object.keys(services[from]?.dependsOn ?? {}).some((one) => one === to || reaches(services, one, to));
}

function wrongNetworks({ networks: known }: Compose, { name, networks, ports }: ComposeService): string[] {
  const strange = networks.filter((one) => !(one in known)).map((one) => `${name}: ${one} is no network of this file`);
  const canPublish = networks.some((one) => known[one]?.internal !== true);
  return [
    ...strange,
    ...(ports.length > 0 && !canPublish ? [`${name}: its ports cannot be published from networks inside`] : []),
  ];
}

/** Every address in the environment must lead to a service of this file, on a port that it listens on, over a network of both. */
function wrongAddresses(compose: Compose, service: ComposeService, image: Image): string[] {
  const address = /\b(?:nats|redis|mqtt|http|ws|mongodb):\/\/(?:[^@/\s]*@)?([\w-]+):(\d+)/g;
  return Object.entries(service.environment).flatMap(([key, value]) =>
    [...value.matchAll(address)]
      .filter(([, host]) => host !== "localhost")
      .flatMap(([, host = "", port]) => {
        const hosts = Object.values(compose.services).filter(
          (one) => one.names.includes(host) && (one.profiles.length === 0 || areTogether(one, service)),
        );
        if (hosts.length === 0) return [`${service.name}: ${key} leads to ${host}, which is not there`];
        return hosts.flatMap((one) => [
          ...(listens(one, Number(port), compose, image)
            ? []
            : [`${service.name}: ${key} leads to ${one.name}:${port}, where nobody listens`]),
          ...(one.networks.some((network) => service.networks.includes(network))
            ? []
            : [`${service.name}: no network leads to ${one.name}`]),
        ]);
      }),
  );
}

function areTogether(one: ComposeService, other: ComposeService): boolean {
  return (
    other.profiles.length === 0 ||
    other.profiles.includes("cli") ||
    one.profiles.some((name) => other.profiles.includes(name))
  );
}

function listens(service: ComposeService, port: number, compose: Compose, image: Image): boolean {
  if (!isOurs(compose, service)) return (serverPorts[service.name.replace(/-\d$/, "")] ?? []).includes(port);
  const settings = settingsOf(service.command[0] ?? "");
  if (settings === undefined) return false;
  return Object.values(listenedPorts(settings, { ...image.env, ...service.environment })).includes(port);
}

/** Only api and what speaks MQTT with devices may be reached from outside. */
function strangeDoors({ name, raw, command }: ComposeService): string[] {
  const isDoor = ["api", "edge"].includes(command[0] ?? "") || ["emqx", "vernemq"].includes(name);
  const published = (raw.ports as string[] | undefined) ?? [];
  if (published.length > 0 && !isDoor) return [`${name}: nobody outside needs ${published.join(", ")}`];
  return [];
}

/** Each file of secrets that is named must be one that `parley secrets` makes, told the addresses of this file. */
function wrongSecrets(compose: Compose): string[] {
  const { secrets } = compose.services;
  if (secrets === undefined) return ["secrets: nobody makes the secrets"];
  const addresses = addressesOf(secrets.command);
  const strange = Object.entries(addresses).flatMap(([server, list]) =>
    list
      .split(",")
      .filter((address) => {
        const [host = "", port] = address.split(":");
        const ports = server === "hooks" ? [8090] : serverPorts[server];
        return !(compose.services[host] && ports?.includes(Number(port)));
      })
      .map((address) => `secrets: ${server} is told to be at ${address}, where it is not`),
  );
  const made = withMadeSecrets(addresses, (_, files) => files);
  const missing = Object.values(compose.services).flatMap((service) =>
    service.mounts
      .filter(({ source }) => source === "secrets")
      .flatMap((mount) => wrongSecretMount(service, mount, made)),
  );
  return [...strange, ...missing];
}

function wrongSecretMount(
  service: ComposeService,
  { target, subpath = "" }: ComposeService["mounts"][number],
  made: readonly string[],
) {
  if (subpath !== "" && !made.some((path) => path.startsWith(`${subpath}/`)))
    return [`${service.name}: parley secrets makes no folder ${subpath}`];
  const named = [...Object.values(service.environment), ...service.command.flatMap((word) => word.split(/[\s"']+/))];
  return named
    .filter((word) => word.startsWith(`${target}/`) && subpath !== "")
    .map((word) => `${subpath}/${word.slice(target.length + 1)}`)
    .filter((path) => !made.includes(path))
    .map((path) => `${service.name}: parley secrets makes no ${path}`);
}

/** `--nats nats:4222` and `--nats=nats:4222`, as they stand in the command. */
export function addressesOf(command: readonly string[]): ServerAddresses {
  const words = command.flatMap((word) => word.split("="));
  const after = (flag: string) => words[words.indexOf(flag) + 1] ?? "";
  return { nats: after("--nats"), redis: after("--redis"), mongo: after("--mongo"), hooks: after("--hooks") };
}

/** All services but the edge, which only Mosquitto needs, are there whatever the profile. */
function missingServices(ours: readonly ComposeService[]): string[] {
  return serviceNames
    .filter((name) => !ours.some(({ command }) => command[0] === name))
    .map((name) => `no container runs ${name}`);
}
