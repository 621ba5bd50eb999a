// NetworkPolicies as a cluster reads them: a pod that a policy selects may do in that direction what policies name, and nothing else.
import type { Resource } from "../resources.ts";

type Labels = Readonly<Record<string, string>>;

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string };
}

export interface Rule {
  from?: Peer[];
  to?: Peer[];
  ports?: { port?: number | string; protocol?: string }[];
}

interface PolicySpec {
  podSelector: Selector;
  policyTypes: string[];
  ingress?: Rule[];
  egress?: Rule[];
}

/** A pod of our own namespace, with the ports that have names; without labels: any address outside the cluster. */
export interface Party {
  labels?: Labels;
  ports?: Readonly<Record<string, number>>;
}

export function policiesOf(resources: readonly Resource[]): { name: string; spec: PolicySpec }[] {
  return resources
    .filter(({ kind }) => kind === "NetworkPolicy")
    .map(({ metadata, spec }) => ({ name: metadata.name, spec: spec as PolicySpec }));
}

/** May `from` connect to a port of `to`? */
export function mayConnect(resources: readonly Resource[], from: Party, to: Party, port: number): boolean {
  return (
    isAllowed(resources, "Egress", from, to, port, to.ports ?? {}) &&
    isAllowed(resources, "Ingress", to, from, port, to.ports ?? {})
  );
}

function isAllowed(
  resources: readonly Resource[],
  direction: "Ingress" | "Egress",
  self: Party,
  other: Party,
  port: number,
  names: Readonly<Record<string, number>>,
): boolean {
  if (self.labels === undefined) return true;
  const own = policiesOf(resources).filter(
    ({ spec }) => spec.policyTypes.includes(direction) && selects(spec.podSelector, self.labels!),
  );
  if (own.length === 0) return true;
  return own.some(({ spec }) =>
    (direction === "Egress" ? spec.egress : spec.ingress)?.some((rule) => matches(rule, other, port, names)),
  );
}

/** Does a rule name this party and this port? */
export function matches(rule: Rule, other: Party, port: number, names: Readonly<Record<string, number>> = {}): boolean {
  const peers = rule.to ?? rule.from;
  const isPort = (one: { port?: number | string; protocol?: string }) =>
    (one.protocol ?? "TCP") === "TCP" && (typeof one.port === "string" ? names[one.port] : one.port) === port;
  if (rule.ports !== undefined && !rule.ports.some(isPort)) return false;
  return peers === undefined || peers.some((peer) => isPeer(peer, other));
}

function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, { labels }: Party): boolean {
  if (labels === undefined) return ipBlock !== undefined;
  return namespaceSelector === undefined && podSelector !== undefined && selects(podSelector, labels);
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  const hasLabels = Object.entries(matchLabels).every(([key, value]) => labels[key] === value);
  return (
    hasLabels &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== "In") throw new Error(`the operator ${operator} is not known here`);
      return values.includes(labels[key] ?? "");
    })
  );
}
