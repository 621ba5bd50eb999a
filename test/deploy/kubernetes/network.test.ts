// Policies and scalers held against the code: whom services connect to, and which figures they tell.
import assert from "node:assert/strict";
import { test } from "node:test";
import { overlay, overlays, withFault } from "./built.ts";
import { unknownAddresses } from "./checks/connections.ts";
import { networkComplaints } from "./checks/network.ts";
import { scalingComplaints } from "./checks/scaling.ts";
import type { Resource } from "./resources.ts";

test("of every setting that names an address it is known where it leads", () => {
  assert.deepEqual(unknownAddresses(), []);
});

for (const name of overlays) {
  test(`${name}: policies allow every connection that services make, and no other`, () => {
    assert.deepEqual(networkComplaints(overlay(name)), []);
  });

  test(`${name}: services are scaled by figures that they tell at /metrics, to as many as have something to do`, async () => {
    assert.deepEqual(await scalingComplaints(overlay(name)), []);
  });
}

interface Rules {
  podSelector: { matchLabels?: Record<string, string> };
  ingress: { from?: unknown; ports?: { port: number | string }[] }[];
  egress: { to?: unknown; ports: { port: number | string }[] }[];
}

const rulesOf = (one: Resource) => one.spec as unknown as Rules;

const networkFaults: [what: string, policy: string, change: (rules: Rules) => void, complaint: RegExp][] = [
  [
    "a server that a service may not reach",
    "history",
    ({ egress }) => egress.shift(),
    /^history may not reach nats:4222 \(NATS_URL\)$/,
  ],
  [
    "a server that lets a service not in",
    "server-nats",
    ({ ingress }) => ingress.shift(),
    /^history may not reach nats:4222 \(NATS_URL\)$/,
  ],
  [
    "a port that is another one",
    "router-broker",
    ({ egress }) => Object.assign(egress[0]!.ports[0]!, { port: 1999 }),
    /^router may not reach broker:1884 \(PARLEY_BROKER_URL\)$/,
  ],
  [
    "providers that push may not reach",
    "push",
    ({ egress }) => egress.pop(),
    /^push may not reach the internet:443 \(apn\)$/,
  ],
  [
    "a server that a service has no address of",
    "search",
    ({ egress }) => egress.push({ ports: [{ port: 443 }, { port: 6379 }] }),
    /^search may reach the internet:443, and has no business there$/,
  ],
  [
    "a rule that nothing uses",
    "search",
    ({ egress }) => egress.push({ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ port: 25 }] }),
    /^search: nothing uses .*25/,
  ],
  [
    "hooks that every pod may reach",
    "auth-webhook",
    ({ ingress }) => delete ingress[0]!.from,
    /^auth-webhook: every pod may reach its port hooks$/,
  ],
  [
    "services that no policy holds",
    "parley-deny",
    ({ podSelector }) => Object.assign(podSelector, { matchLabels: { a: "b" } }),
    /^router: every pod may reach its port health$/,
  ],
];

for (const [what, policy, change, complaint] of networkFaults)
  test(`the check of policies finds ${what}`, () => {
    let broken = withFault("production", "NetworkPolicy", policy, (one) => change(rulesOf(one)));
    // The others deny as well: what is left without any of them.
    if (policy === "parley-deny") broken = broken.filter(({ kind }) => kind !== "NetworkPolicy");
    const found = networkComplaints(broken);
    assert.ok(
      found.some((one) => complaint.test(one)),
      `it said ${JSON.stringify(found)}`,
    );
  });

test("the check of scalers finds a number of replicas that every apply sets back", async () => {
  const broken = withFault("production", "Deployment", "router", ({ spec }) =>
    Object.assign(spec as object, { replicas: 2 }),
  );
  assert.deepEqual(await scalingComplaints(broken), ["router: every apply sets its replicas back"]);
});

interface Scaler {
  scaleTargetRef: { name: string };
  minReplicas: number;
  maxReplicas: number;
  metrics: { pods: { metric: { name: string } } }[];
}

const scalingFaults: [what: string, change: (scaler: Scaler) => void, complaint: string][] = [
  [
    "a figure that does not exist",
    ({ metrics }) => Object.assign(metrics[0]!.pods.metric, { name: "parley_router_held" }),
    "router: /metrics has no parley_router_held",
  ],
  [
    "a figure of another service",
    ({ metrics }) => Object.assign(metrics[0]!.pods.metric, { name: "parley_history_unannounced" }),
    "router: parley_history_unannounced is a figure of history",
  ],
  [
    "more routers than partitions",
    (scaler) => Object.assign(scaler, { maxReplicas: 17 }),
    "router: more than 16 routers have nothing to do",
  ],
  [
    "a single replica",
    (scaler) => Object.assign(scaler, { minReplicas: 1 }),
    "router: one replica is none while it is replaced",
  ],
  [
    "a target that is not there",
    ({ scaleTargetRef }) => Object.assign(scaleTargetRef, { name: "routers" }),
    "router: there is no Deployment routers",
  ],
];

for (const [what, change, complaint] of scalingFaults)
  test(`the check of scalers finds ${what}`, async () => {
    const broken = withFault("production", "HorizontalPodAutoscaler", "router", ({ spec }) => change(spec as Scaler));
    assert.ok((await scalingComplaints(broken)).includes(complaint));
  });
