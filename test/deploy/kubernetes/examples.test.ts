// The examples by which production gets its servers. None of them was installed here; what can be held without a cluster is held.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { test } from "node:test";
import { withMadeSecrets } from "../made-secrets.ts";
import { overlay } from "./built.ts";
import {
  type Example,
  madeByCommands,
  missingFiles,
  readExamples,
  undocumented,
  unmadeSecrets,
} from "./checks/examples.ts";
import { secretKeysOf } from "./checks/page.ts";
import { metricOf, metricOwners, scalersOf } from "./checks/scaling.ts";
import { manifests } from "./overlays.ts";

const examples = readExamples();
const example = (file: string) => examples.find((one) => one.file === file)!;
const kustomizations = ["examples/emqx/kustomization.yaml"].map((file) => readFileSync(join(manifests, file), "utf8"));
const texts = [...examples.map(({ text }) => text), ...kustomizations];
const secrets = { ...secretKeysOf("production"), ...madeByCommands(texts).secrets };
const addresses = { nats: "n:1", redis: "r:1", mongo: "m:1", hooks: "h:1" };
const made = withMadeSecrets(addresses, (_, files) => files);
const secretFiles = [...made, "passwords/redis", "passwords/broker-api", "parley/signing-key"];

test("every value and field of the examples is one that the chart or the operator documents", () => {
  assert.deepEqual(examples.flatMap(undocumented), []);
});

test("that check finds a value spelled wrong, at any depth", () => {
  const nats = structuredClone(example("nats-values.yaml"));
  const { jetstream } = nats.value.config as { jetstream: { fileStore: object } };
  Object.assign(jetstream.fileStore, { maxsize: "1Gi" });
  assert.deepEqual(undocumented(nats), ["nats-values.yaml: nats has no config.jetstream.fileStore.maxsize"]);
  const mongodb = structuredClone(example("mongodb.yaml"));
  Object.assign((mongodb.value.spec as { users: object[] }).users[0]!, { roll: [] });
  assert.deepEqual(undocumented(mongodb), ["mongodb.yaml: mongodb has no spec.users[0].roll"]);
});

test("every Secret that the examples read is made by `parley secrets` or by a command at their head", () => {
  assert.deepEqual(
    examples.flatMap((one) => unmadeSecrets(one, secrets)),
    [],
  );
  const renamed = { ...example("redis-values.yaml"), value: { existingSecret: "redis-passwords" } };
  assert.deepEqual(unmadeSecrets(renamed, secrets), [
    "redis-values.yaml: nobody makes the Secret redis-passwords with auth",
  ]);
});

test("every file that their commands name exists, or is one that `parley secrets` makes", () => {
  assert.deepEqual(
    texts.flatMap((text) => missingFiles(text, secretFiles)),
    [],
  );
  assert.deepEqual(missingFiles("--from-file=secrets/redis/pass deploy/k8s/nats.yaml", secretFiles), [
    "secrets/redis/pass",
    "deploy/k8s/nats.yaml",
  ]);
});

test("pods of every server carry the label by which Services and policies know them", () => {
  const labelled: [file: string, server: string, times: number][] = [
    ["nats-values.yaml", "nats", 1],
    ["redis-values.yaml", "redis", 2],
    ["mongodb.yaml", "mongodb", 2],
    ["emqx/emqx.yaml", "broker", 1],
    ["vernemq-values.yaml", "broker", 1],
  ];
  for (const [file, server, times] of labelled) {
    const found = [...example(file).text.matchAll(/^ +parley\/server: (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(found, Array(times).fill(server), file);
  }
  for (const file of ["emqx/emqx.yaml", "vernemq-values.yaml"])
    assert.match(example(file).text, /^ +parley\/devices: mqtt$/m, file);
});

test("nats.conf of the chart finds the users and their passwords where the example mounts them", () => {
  const { config, container, podTemplate } = example("nats-values.yaml").value as unknown as {
    config: { merge: { $include: string } };
    container: { patch: { value: { mountPath: string; name: string } }[] };
    podTemplate: {
      patch: { value: { name: string; projected: { sources: { secret?: { items: { path: string }[] } }[] } } }[];
    };
  };
  const { mountPath, name } = container.patch[0]!.value;
  assert.equal(posix.resolve("/etc/nats-config", config.merge.$include), posix.join(mountPath, "users.conf"));
  const volume = podTemplate.patch[0]!.value;
  assert.equal(volume.name, name);
  const users = readFileSync(join(manifests, "../nats/users.conf"), "utf8");
  const paths = volume.projected.sources.flatMap(({ secret }) => secret?.items.map(({ path }) => path) ?? []);
  assert.deepEqual(paths, [/^include "(.*)"$/m.exec(users)?.[1]]);
});

interface AdapterRule {
  seriesQuery: string;
  metricsQuery: string;
  name: { matches: string; as: string };
}

/** The rules that serve a metric, by the names in their queries: to one pod, or to all that share a queue. */
function rulesFor(name: string, kind: string, { value }: Example): AdapterRule[] {
  const { custom, external } = value.rules as { custom: AdapterRule[]; external: AdapterRule[] };
  return (kind === "External" ? external : custom).filter(({ seriesQuery }) => {
    const named = [...seriesQuery.matchAll(/__name__(=~|!~)"([^"]+)"/g)];
    return named.every(([, operator, pattern = ""]) => new RegExp(pattern).test(name) === (operator === "=~"));
  });
}

test("the adapter serves every figure that services are scaled by, under its own name: a counter as its rate, a gauge as it is", async () => {
  const owners = await metricOwners();
  const scalers = ["production", "production-mosquitto"].flatMap((name) => scalersOf(overlay(name)));
  const scaledBy = scalers.flatMap(({ spec }) => spec.metrics);
  assert.ok(scaledBy.length > 10);
  for (const by of scaledBy) {
    const name = metricOf(by);
    const rules = rulesFor(name, by.type, example("prometheus-adapter-values.yaml"));
    assert.equal(rules.length, 1, `${name} is served by ${rules.length} rules`);
    assert.equal(/\brate\(/.test(rules[0]!.metricsQuery), owners.get(name)!.kind === "counter", name);
    assert.equal(name.replace(new RegExp(rules[0]!.name.matches), rules[0]!.name.as), name);
  }
});
