// Policies held against what the code connects to: each connection is allowed, and nothing else.
import { podOf, type Resource } from "../resources.ts";
import { type Connection, connectionsOf, reachOf } from "./connections.ts";
import { workloadsOf } from "./containers.ts";
import { matches, mayConnect, type Party, policiesOf } from "./policies.ts";

const servers = ["NATS_URL", "REDIS_URL", "STORE_URL"];

export function networkComplaints(resources: readonly Resource[]): string[] {
  const connections = connectionsOf(resources);
  return [
    ...connections
      .filter(
        ({ from, labels, port }) => !mayConnect(resources, partyOf(resources, from), outer(resources, labels), port),
      )
      .map(({ from, because, labels, port }) => `${from} may not reach ${nameOf(labels)}:${port} (${because})`),
    ...tooMuch(resources, connections),
    ...uselessRules(resources, connections),
    ...openHooks(resources),
  ];
}

function partyOf(resources: readonly Resource[], name: string): Party {
  const workload = workloadsOf(resources).find(({ metadata }) => metadata.name === name)!;
  return outer(resources, podOf(workload)!.metadata.labels);
}

function outer(resources: readonly Resource[], labels: Party["labels"]): Party {
  if (labels === undefined) return {};
  const own = resources.find((one) => {
    const has = podOf(one)?.metadata.labels;
    return has !== undefined && Object.entries(labels).every(([key, value]) => has[key] === value);
  });
  const ports = own === undefined ? [] : podOf(own)!.spec.containers.flatMap((one) => one.ports ?? []);
  return { labels, ports: Object.fromEntries(ports.map(({ name = "", containerPort }) => [name, containerPort])) };
}

function nameOf(labels: Party["labels"]): string {
  return labels?.["parley/server"] ?? labels?.["app.kubernetes.io/name"] ?? "the internet";
}

// A service that has no address of a server cannot reach it either.
function tooMuch(resources: readonly Resource[], connections: readonly Connection[]): string[] {
  const all = [
    ...servers.flatMap((key) => reachOf[key] as { labels: Record<string, string>; port: number }[]),
    { labels: { "parley/server": "broker" }, port: 1883 },
    { labels: undefined, port: 443 },
  ];
  return workloadsOf(resources).flatMap(({ metadata: { name } }) =>
    all
      .filter(({ labels, port }) => !connections.some((one) => one.from === name && isSame(one, labels, port)))
      // A broker's port for devices is open to everybody; that a service may not go there is its own policy's.
      .filter(({ labels, port }) => mayConnect(resources, partyOf(resources, name), outer(resources, labels), port))
      .map(({ labels, port }) => `${name} may reach ${nameOf(labels)}:${port}, and has no business there`),
  );
}

function isSame(connection: Connection, labels: Party["labels"], port: number): boolean {
  return connection.port === port && nameOf(connection.labels) === nameOf(labels);
}

// What is said at names and metrics holds for everybody.
function uselessRules(resources: readonly Resource[], connections: readonly Connection[]): string[] {
  return policiesOf(resources)
    .filter(({ name, spec }) => spec.egress !== undefined && name !== "parley-names-and-metrics")
    .flatMap(({ name, spec }) => {
      const from = spec.podSelector.matchLabels?.["app.kubernetes.io/name"];
      const own = connections.filter((one) => one.from === from);
      return (spec.egress ?? [])
        .filter((rule) => !own.some(({ labels, port }) => matches(rule, outer(resources, labels), port)))
        .map((rule) => `${name}: nothing uses ${JSON.stringify(rule)}`);
    });
}

// Whoever reaches the hooks may ask who is let in; whoever reaches an edge's admin port may end sessions.
function openHooks(resources: readonly Resource[]): string[] {
  const stranger: Party = { labels: { app: "somebody-else" } };
  return workloadsOf(resources).flatMap((workload) => {
    const party = partyOf(resources, workload.metadata.name);
    return Object.entries(party.ports ?? {})
      .filter(([port]) => !["http", "mqtt", "ws"].includes(port))
      .filter(([, number]) => mayConnect(resources, stranger, party, number))
      .map(([port]) => `${workload.metadata.name}: every pod may reach its port ${port}`);
  });
}
