// Manifests held against Kubernetes' schemas and against each other. Each check is seen to find what it is for.
import assert from "node:assert/strict";
import { test } from "node:test";
import { overlay, overlays, withFault, withPodFault } from "./built.ts";
import { brokerPortComplaints } from "./checks/broker-ports.ts";
import { containerComplaints } from "./checks/containers.ts";
import { secretKeysOf, stageOf } from "./checks/page.ts";
import { podComplaints } from "./checks/pods.ts";
import { referenceComplaints } from "./checks/references.ts";
import { schemaComplaints } from "./checks/schema.ts";
import type { Container, Pod, Resource } from "./resources.ts";

const secretsOf = { dev: secretKeysOf("dev"), production: secretKeysOf("production") };

for (const name of overlays) {
  test(`${name}: every object is as Kubernetes' schemas say, without a field that they do not know`, () => {
    assert.deepEqual(schemaComplaints(overlay(name)), []);
  });

  test(`${name}: services are told every setting they need, none that does not exist, and asked where they answer`, () => {
    assert.deepEqual(containerComplaints(overlay(name)), []);
  });

  test(`${name}: services run without rights they do not need, end in time, and never all at once`, () => {
    assert.deepEqual(podComplaints(overlay(name)), []);
  });

  test(`${name}: every Secret, key, ConfigMap, Service and port that is named exists`, () => {
    assert.deepEqual(referenceComplaints(overlay(name), secretsOf[stageOf(name)]), []);
  });
}

for (const name of overlays)
  test(`${name}: the broker listens on every port that Services lead to`, () => {
    assert.deepEqual(brokerPortComplaints(overlay(name)), []);
  });

test("the check of the broker's ports finds one that it does not listen on, and a broker that nobody knows", () => {
  const other = (one: Resource) => Object.assign(one.spec as object, { ports: [{ port: 1884, targetPort: 1885 }] });
  for (const [name, file] of [
    ["production", "emqx/emqx.conf"],
    ["production-vernemq", "vernemq/vernemq.conf"],
    ["production-mosquitto", "mosquitto/mosquitto.conf"],
  ] as const)
    assert.deepEqual(brokerPortComplaints(withFault(name, "Service", "broker", other)), [
      `Service broker: ${file} does not listen on 1885`,
    ]);
  const unknown = withFault(
    "dev",
    "ConfigMap",
    "parley-settings",
    ({ data }) => delete (data as Record<string, string>).PRESENCE_BROKER,
  );
  assert.deepEqual(brokerPortComplaints(unknown), ['parley-settings: no configuration of the broker "" is known']);
});

type Fault = [what: string, change: (pod: Pod, container: Container) => void, complaint: RegExp];

const env = (container: Container, name: string) => container.env!.find((one) => one.name === name)!;

const schemaFaults: Fault[] = [
  ["a field spelled wrong", (pod) => Object.assign(pod, { terminationGraceSeconds: 3 }), /terminationGraceSeconds/],
  [
    "a number where a text belongs",
    (_, one) => Object.assign(env(one, "API_PORT"), { value: 8080 }),
    /value must be string/,
  ],
  [
    "a list where an object belongs",
    (pod) => Object.assign(pod, { securityContext: [] }),
    /securityContext must be object/,
  ],
  ["a required field that is missing", (_, one) => delete (one as Partial<Container>).name, /'name'/],
];

for (const [what, change, complaint] of schemaFaults)
  test(`the schemas find ${what}`, () => {
    const [found = ""] = schemaComplaints(withPodFault("production", "api", change));
    assert.match(found, /^Deployment api: /);
    assert.match(found, complaint);
  });

test("the schemas find a kind that they do not have", () => {
  const broken = withFault("production", "ServiceAccount", "parley", (one) =>
    Object.assign(one, { kind: "ServiceAcount" }),
  );
  assert.deepEqual(schemaComplaints(broken), ["ServiceAcount parley: no schema of v1 ServiceAcount is kept"]);
});

const containerFaults: Fault[] = [
  ["a service that does not exist", (_, one) => Object.assign(one, { args: ["apis"] }), /no service "apis"/],
  [
    "a setting spelled wrong",
    (_, one) => Object.assign(env(one, "API_HOST"), { name: "API_HOTS" }),
    /API_HOTS is not a setting.*API_HOST/,
  ],
  ["a value that the service refuses", (_, one) => Object.assign(env(one, "API_PORT"), { value: "http" }), /API_PORT/],
  [
    "a setting that is not given",
    (_, one) => Object.assign(one, { env: one.env!.filter(({ name }) => name !== "STORE_URL") }),
    /STORE_URL is not given/,
  ],
  [
    "shared settings that are not given",
    (_, one) => Object.assign(one, { envFrom: [] }),
    /PARLEY_SECRETS is not given/,
  ],
  [
    "a port that nobody listens on",
    (_, one) => Object.assign(one.ports!.find(({ name }) => name === "http")!, { containerPort: 8081 }),
    /port 8081 is none/,
  ],
  [
    "a probe of another port",
    (_, one) => Object.assign(one.readinessProbe!.httpGet!, { port: 8080 }),
    /asked on port 8080/,
  ],
  [
    "a liveness that waits for NATS",
    (_, one) => Object.assign(one.livenessProbe!.httpGet!, { path: "/health/ready" }),
    /livenessProbe kills it/,
  ],
  [
    "a readiness that asks nothing",
    (_, one) => Object.assign(one.readinessProbe!.httpGet!, { path: "/health/live" }),
    /readinessProbe/,
  ],
  ["a probe that is missing", (_, one) => delete one.startupProbe, /no startupProbe/],
  [
    "secrets that are not mounted",
    (_, one) => Object.assign(one.volumeMounts!.find(({ name }) => name === "secrets")!, { mountPath: "/secrets" }),
    /nothing is mounted/,
  ],
  [
    "a /tmp that is not there",
    (_, one) => Object.assign(one, { volumeMounts: one.volumeMounts!.filter(({ name }) => name !== "tmp") }),
    /cannot write to \/tmp/,
  ],
];

for (const [what, change, complaint] of containerFaults)
  test(`the check of containers finds ${what}`, () => {
    const found = containerComplaints(withPodFault("production", "api", change));
    assert.ok(
      found.some((one) => complaint.test(one)),
      `it said ${JSON.stringify(found)}`,
    );
  });

test("the check of containers finds a shared setting that no service has", () => {
  const broken = withFault("production", "ConfigMap", "parley-settings", ({ data }) =>
    Object.assign(data as object, { API_PUBLIC_WSS: "x" }),
  );
  assert.ok(
    containerComplaints(broken).includes("api: API_PUBLIC_WSS is not a setting of api (did you mean API_PUBLIC_WS?)"),
  );
});

test("the check of containers finds a service that has secrets it never reads", () => {
  const broken = withPodFault("production", "history", (_, one) =>
    one.volumeMounts!.push({ name: "secrets", mountPath: "/etc/parley/secrets" }),
  );
  assert.deepEqual(containerComplaints(broken), [
    "history: it has the secrets of all services, and reads none of them",
  ]);
});

const podFaults: Fault[] = [
  ["a token", (pod) => delete pod.automountServiceAccountToken, /given a token/],
  ["an account that is not Parley's", (pod) => Object.assign(pod, { serviceAccountName: "default" }), /account/],
  ["names of Services that look like settings", (pod) => delete pod.enableServiceLinks, /API_PORT/],
  ["root", (pod) => Object.assign(pod.securityContext as object, { runAsUser: 0 }), /root/],
  ["no seccomp profile", (pod) => Object.assign(pod.securityContext as object, { seccompProfile: {} }), /seccomp/],
  ["rights that it may gain", (_, one) => delete one.securityContext!.allowPrivilegeEscalation, /gain rights/],
  [
    "a root file system that can be written",
    (_, one) => delete one.securityContext!.readOnlyRootFilesystem,
    /write everywhere/,
  ],
  [
    "capabilities",
    (_, one) => Object.assign(one.securityContext!, { capabilities: { drop: ["KILL"] } }),
    /capabilities/,
  ],
  ["memory without a limit", (_, one) => delete one.resources!.limits!.memory, /no limit of memory/],
  ["CPU that is not requested", (_, one) => delete one.resources!.requests!.cpu, /requests no cpu/],
  [
    "an end that comes too early",
    (pod) => Object.assign(pod, { terminationGracePeriodSeconds: 12 }),
    /killed after 12 s/,
  ],
  ["a Service that leads to what stops", (_, one) => delete one.lifecycle, /no preStop/],
  [
    "replicas on one node",
    (pod) => Object.assign(pod, { topologySpreadConstraints: [] }),
    /spread over kubernetes.io\/hostname/,
  ],
];

for (const [what, change, complaint] of podFaults)
  test(`the check of pods finds ${what}`, () => {
    const found = podComplaints(withPodFault("production", "api", change));
    assert.ok(
      found.some((one) => complaint.test(one)),
      `it said ${JSON.stringify(found)}`,
    );
  });

test("the check of pods finds a rollout that takes replicas away first, and a service without a budget", () => {
  const early = withFault("production", "Deployment", "api", ({ spec }) =>
    Object.assign(spec as object, { strategy: { type: "Recreate" } }),
  );
  assert.deepEqual(podComplaints(early), ["api: an old replica goes before a new one is ready"]);
  const unbudgeted = overlay("production").filter(
    ({ kind, metadata }) => kind !== "PodDisruptionBudget" || metadata.name !== "api",
  );
  assert.deepEqual(podComplaints(unbudgeted), ["api: it has 0 PodDisruptionBudgets"]);
});

const podReferences: Fault[] = [
  [
    "a Secret that nobody makes",
    (_, one) => Object.assign(env(one, "NATS_URL").valueFrom!.secretKeyRef!, { name: "parley-nat" }),
    /nobody makes the Secret parley-nat$/,
  ],
  [
    "a key that the Secret does not have",
    (_, one) => Object.assign(env(one, "NATS_URL").valueFrom!.secretKeyRef!, { key: "nats" }),
    /parley-api has no nats$/,
  ],
  [
    "a volume of a Secret that nobody makes",
    (pod) => Object.assign(pod.volumes!.find(({ name }) => name === "secrets")!.secret!, { secretName: "parley" }),
    /nobody makes the Secret parley$/,
  ],
  [
    "a ConfigMap that is not there",
    (_, one) => Object.assign(one, { envFrom: [{ configMapRef: { name: "settings" } }] }),
    /no ConfigMap settings/,
  ],
  ["a volume that is not there", (pod) => Object.assign(pod, { volumes: [] }), /mounts secrets, which is no volume/],
];

const objectFaults: [what: string, kind: string, name: string, change: (one: Resource) => void, complaint: RegExp][] = [
  [
    "a Service that leads nowhere",
    "Service",
    "api",
    ({ spec }) => Object.assign(spec as object, { selector: { app: "api" } }),
    /leads to no pod/,
  ],
  [
    "a Service whose port no pod has",
    "Service",
    "api",
    ({ spec }) => Object.assign(spec as object, { ports: [{ port: 80, targetPort: 80 }] }),
    /80 is no port of api/,
  ],
  [
    "an Ingress to a port that is not there",
    "Service",
    "mqtt",
    ({ spec }) => Object.assign(spec as object, { ports: [] }),
    /no Service mqtt with the port ws/,
  ],
];

for (const [what, change, complaint] of podReferences)
  test(`the check of names finds ${what}`, () => {
    const found = referenceComplaints(withPodFault("production", "api", change), secretsOf.production);
    assert.ok(
      found.some((one) => complaint.test(one)),
      `it said ${JSON.stringify(found)}`,
    );
  });

for (const [what, kind, name, change, complaint] of objectFaults)
  test(`the check of names finds ${what}`, () => {
    const found = referenceComplaints(withFault("production", kind, name, change), secretsOf.production);
    assert.ok(
      found.some((one) => complaint.test(one)),
      `it said ${JSON.stringify(found)}`,
    );
  });
