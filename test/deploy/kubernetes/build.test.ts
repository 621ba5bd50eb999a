// The builder of the tests: what it understands of Kustomize, and that it refuses the rest instead of passing over it.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { build } from "./build.ts";
import type { Resource } from "./resources.ts";
import { differences } from "./same.ts";

function folderOf(t: TestContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-build-"));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: a, labels: { is: ours } }
spec:
  selector: {}
  template:
    spec:
      containers:
        - { name: one, image: "one:1", env: [{ name: A, value: "1" }, { name: B, value: "2" }], args: [x], tty: true }
        - { name: two, image: two }
      volumes: [{ name: tmp, emptyDir: {} }]
`;

test("a patch is merged as Kubernetes merges: named lists by their names, other lists whole, null takes away", (t) => {
  const folder = folderOf(t, {
    "a.yaml": deployment,
    "patch.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: { name: any }
spec:
  replicas: 3
  template:
    spec:
      containers:
        - { name: one, tty: null, env: [{ name: B, value: "3" }, { name: C, value: "4" }], args: [y] }
      volumes: [{ name: data, emptyDir: {} }]
`,
    "kustomization.yaml": `resources: [a.yaml]
patches: [{ path: patch.yaml, target: { kind: Deployment|StatefulSet, labelSelector: is=ours } }]
images: [{ name: two, newName: registry.example:5000/two, newTag: "7" }]
namespace: here
`,
  });
  const [built] = build(folder) as unknown as [{ metadata: object; spec: Record<string, unknown> }];
  assert.deepEqual(built.metadata, { name: "a", labels: { is: "ours" }, namespace: "here" });
  assert.equal(built.spec.replicas, 3);
  const { containers, volumes } = (built.spec.template as { spec: Record<string, object[]> }).spec;
  assert.deepEqual(containers, [
    {
      name: "one",
      image: "one:1",
      env: [
        { name: "A", value: "1" },
        { name: "B", value: "3" },
        { name: "C", value: "4" },
      ],
      args: ["y"],
    },
    { name: "two", image: "registry.example:5000/two:7" },
  ]);
  assert.deepEqual(volumes, [
    { name: "tmp", emptyDir: {} },
    { name: "data", emptyDir: {} },
  ]);
});

test("a component adds to what is there: a generated map is merged, its own value wins", (t) => {
  const folder = folderOf(t, {
    "base/kustomization.yaml": "configMapGenerator: [{ name: m, literals: [A=1, B=2] }]",
    "more/kustomization.yaml": "configMapGenerator: [{ name: m, behavior: merge, literals: [B=3=4, C=] }]",
    "kustomization.yaml": "resources: [base]\ncomponents: [more]",
  });
  assert.deepEqual(build(folder)[0]?.data, { A: "1", B: "3=4", C: "" });
});

const refused: [what: string, files: Record<string, string>, said: RegExp][] = [
  ["a word that it does not know", { "kustomization.yaml": "namePrefix: x-" }, /namePrefix is a word/],
  [
    "a patch of nothing",
    {
      "a.yaml": deployment,
      "p.yaml": deployment.replace("name: a,", "name: b,"),
      "kustomization.yaml": "resources: [a.yaml]\npatches: [{ path: p.yaml }]",
    },
    /nothing that it could patch/,
  ],
  [
    "an object that is there twice",
    { "a.yaml": deployment, "kustomization.yaml": "resources: [a.yaml, a.yaml]" },
    /Deployment a is there twice/,
  ],
  [
    "a map to merge into that is not there",
    { "kustomization.yaml": "configMapGenerator: [{ name: m, behavior: merge }]" },
    /no ConfigMap m/,
  ],
  ["a key that stands twice", { "kustomization.yaml": "resources: []\nresources: []" }, /unique/],
];

for (const [what, files, said] of refused)
  test(`the builder refuses ${what}`, (t) => {
    assert.throws(() => build(folderOf(t, files)), said);
  });

test("what differs from Kustomize's own is found; the order of named things and a map's hash are no difference", () => {
  const pod = (image: string, ...names: string[]) =>
    ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { containers: names.map((name) => ({ name, image })), config: "m" },
    }) as Resource;
  const map = (name: string) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name } }) as Resource;
  const theirs = JSON.parse(
    JSON.stringify([pod("i", "b", "a"), map("m-4tk6h2m5b9")]).replace('"config":"m"', '"config":"m-4tk6h2m5b9"'),
  ) as Resource[];
  assert.deepEqual(differences([pod("i", "a", "b"), map("m")], theirs), []);
  assert.deepEqual(differences([pod("j", "a", "b"), map("m")], theirs), [
    'Pod p: .spec.containers.0.image: "j" here, "i" by Kustomize',
  ]);
  assert.deepEqual(differences([map("m")], theirs), ["Pod p: Kustomize alone makes it"]);
});
