// docs/deploy-kubernetes.md and the alarms, held against manifests and code: an operator who follows them finds what they name.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { overlay } from "./built.ts";
import { readExamples } from "./checks/examples.ts";
import { addressesOf, page, readersOf, secretKeysOf, stageOf } from "./checks/page.ts";
import { referenceComplaints, servedBy } from "./checks/references.ts";
import { metricOf, metricOwners, scalersOf } from "./checks/scaling.ts";
import { manifests } from "./overlays.ts";
import type { Resource } from "./resources.ts";

const root = join(manifests, "../..");
const operations = readFileSync(join(root, "docs/operations.md"), "utf8");

test("every folder and file that the page names is there", () => {
  const named = [
    ...[...page.matchAll(/\b(deploy\/[\w./-]+\w)/g)].map(([, path = ""]) => path),
    ...[...page.matchAll(/`((?:components|overlays|base|examples)\/[\w./-]+)`/g)].map(
      ([, path = ""]) => `deploy/k8s/${path}`,
    ),
  ];
  assert.ok(named.length > 20);
  assert.deepEqual(
    named.filter((path) => !existsSync(join(root, path))),
    [],
  );
});

/** `host:port` leads to a Service of the overlay, or to one of its StatefulSet's pods. */
function leadsSomewhere(address: string, resources: readonly Resource[]): boolean {
  const [host = "", port] = address.split(":");
  const [name = "", domain] = host.split(".");
  const service = resources.find(({ kind, metadata }) => kind === "Service" && metadata.name === (domain ?? name));
  const { ports = [] } = (service?.spec ?? {}) as { ports?: { port: number }[] };
  if (service === undefined || !ports.some((one) => one.port === Number(port))) return false;
  return domain === undefined || servedBy(service, resources).some(({ metadata }) => name === `${metadata.name}-0`);
}

test("the addresses that secrets are made with on a cluster of one's own lead to what overlays/dev has", () => {
  const resources = overlay("dev");
  for (const address of Object.values(addressesOf("dev"))) assert.ok(leadsSomewhere(address, resources), address);
  for (const wrong of ["nat:4222", "nats:4223", "mongodb-1.mongodb:27017"])
    assert.ok(!leadsSomewhere(wrong, resources));
});

test("those of production lead to what the examples install", () => {
  const { nats, redis, mongo, hooks } = addressesOf("production");
  const [natsText = "", redisText = ""] = ["nats-values.yaml", "redis-values.yaml"].map(
    (file) => readExamples().find((one) => one.file === file)?.text,
  );
  const mongodb = readExamples().find(({ file }) => file === "mongodb.yaml")!.value as {
    metadata: { name: string };
    spec: { members: number };
  };
  // The chart calls its Service as the release, where that is called as the chart.
  assert.equal(nats, `${/helm .* install (nats) nats\/nats/.exec(natsText)?.[1]}:4222`);
  assert.equal(redis, `${/^fullnameOverride: (.*)$/m.exec(redisText)?.[1]}-haproxy:6379`);
  const { name } = mongodb.metadata;
  const members = Array.from({ length: mongodb.spec.members }, (_, index) => `${name}-${index}.${name}-svc:27017`);
  assert.equal(mongo, members.join(","));
  assert.ok(leadsSomewhere(hooks, overlay("production")));
});

test("a Secret that its commands do not make is missed", () => {
  for (const stage of ["dev", "production"] as const) {
    const without = page.replaceAll(" presence ", " ");
    assert.ok(!readersOf(stage, without).includes("presence"));
    const complaints = referenceComplaints(overlay(stage), secretKeysOf(stageOf(stage), without));
    assert.ok(complaints.includes("Deployment presence: nobody makes the Secret parley-presence"));
  }
});

test("the page's table of scaling is what the scalers say", () => {
  const rows = [...page.matchAll(/^\| ([\w, -]+) \| (`(?:parley|process)_.*) \| (.*) \|$/gm)];
  const told = rows.flatMap(([, services = "", metrics = "", targets = ""]) =>
    services.split(", ").map((service) => ({
      service,
      metrics: [...metrics.matchAll(/`(\w+)`/g)].map(([, name]) => name),
      targets: targets
        .replaceAll(",", "")
        .match(/\d+(\.\d+)?/g)!
        .map(Number),
    })),
  );
  const scalers = new Map(
    ["production", "production-mosquitto"].flatMap((name) =>
      scalersOf(overlay(name)).map(({ spec }) => [spec.scaleTargetRef.name, spec]),
    ),
  );
  assert.deepEqual(told.map(({ service }) => service).sort(), [...scalers.keys()].sort());
  for (const { service, metrics, targets } of told) {
    const { metrics: scaledBy } = scalers.get(service)!;
    assert.deepEqual(metrics, scaledBy.map(metricOf), service);
    const values = scaledBy.map(({ pods, external }) => (pods ?? external)!.target.averageValue);
    const numbers = values.map((value) => (value.endsWith("m") ? Number(value.slice(0, -1)) / 1000 : Number(value)));
    assert.deepEqual(targets.slice(0, numbers.length), numbers, service);
  }
});

test("every metric that the page, the alarms and their rules name is one of /metrics", async () => {
  const owners = await metricOwners();
  const rules = readExamples().find(({ file }) => file === "alerts.yaml")!.text;
  const named = [page, operations, rules].flatMap((text) => [
    ...text.matchAll(/\b((?:parley|process)_[a-z_]+[a-z])\b/g),
  ]);
  const names = new Set(named.map(([, name = ""]) => name.replace(/^(parley_\w+)_(bucket|sum|count)$/, "$1")));
  assert.ok(names.size > 30);
  assert.deepEqual(
    [...names].filter((name) => !owners.has(name)),
    [],
  );
});

test("services are upgraded in the order that operations.md asks for", () => {
  const [, order = ""] = /^for service in (.*); do$/m.exec(page) ?? [];
  const services = order.split(" ");
  assert.match(operations, /\*\*presence before routers, api and auth-webhook\*\*, \*\*api before history\*\*/);
  const before = (one: string, other: string) => services.indexOf(one) < services.indexOf(other);
  assert.ok(before("presence", "router") && before("presence", "api") && before("api", "history"), order);
  assert.ok(before("presence", "auth-webhook"), order);
  const all = overlay("production").filter(({ kind }) => kind === "Deployment");
  assert.deepEqual([...services].sort(), all.map(({ metadata }) => metadata.name).sort());
});
