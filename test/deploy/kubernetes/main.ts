// `npm run check:deploy`: every overlay as Kustomize itself builds it, each object of it checked by kubeconform, and held against what
// the tests build.
import { spawnSync } from "node:child_process";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseAllDocuments } from "yaml";
import { build } from "./build.ts";
import { goTool } from "./go-tools.ts";
import { manifests, overlayNames } from "./overlays.ts";
import type { Resource } from "./resources.ts";
import { differences } from "./same.ts";
import { schemaOf, schemas } from "./schemas.ts";

interface Programs {
  kustomize: string;
  kubeconform: string;
}

try {
  process.exitCode = checkAll({ kustomize: goTool("kustomize"), kubeconform: goTool("kubeconform") });
} catch (error) {
  process.stderr.write(`check:deploy: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function checkAll(programs: Programs): number {
  const folder = mkdtempSync(join(tmpdir(), "parley-schemas-"));
  try {
    writeSchemas(folder);
    const overlays = overlayNames().map((name) => `overlays/${name}`);
    const examples = globSync("examples/*/kustomization.yaml", { cwd: manifests }).map(dirname).sort();
    const faults = [
      ...overlays.flatMap((place) =>
        faultsOf(programs, place, (text) => [...check(programs, place, text, folder), ...compare(place, text)]),
      ),
      // Kinds of operators have schemas that are not kept here.
      ...examples.flatMap((place) =>
        faultsOf(programs, place, (text) => check(programs, place, text, folder, "-ignore-missing-schemas")),
      ),
    ];
    for (const fault of faults) process.stdout.write(`${fault}\n`);
    process.stdout.write(`${overlays.length} overlays, ${examples.length} examples, ${faults.length} faults\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What is found in all that Kustomize makes of a place, or why it makes nothing of it. */
function faultsOf({ kustomize }: Programs, place: string, find: (text: string) => string[]): string[] {
  const { status, stdout, stderr } = spawnSync(kustomize, ["build", join(manifests, place)], { encoding: "utf8" });
  const found = status === 0 ? find(stdout) : [stderr.trim()];
  return found.map((fault) => `${place}: ${fault}`);
}

function check(
  { kubeconform }: Programs,
  place: string,
  text: string,
  schemaFolder: string,
  ...flags: string[]
): string[] {
  const location = join(schemaFolder, "{{ .ResourceKind }}{{ .KindSuffix }}.json");
  const { status, stdout, stderr } = spawnSync(
    kubeconform,
    ["-strict", "-summary", ...flags, "-schema-location", location, "-"],
    { encoding: "utf8", input: text },
  );
  const lines = `${stdout}${stderr}`.trim().split("\n");
  process.stdout.write(`${place}: ${lines.at(-1)}\n`);
  return status === 0 ? [] : lines.slice(0, -1);
}

function compare(place: string, text: string): string[] {
  const resources = parseAllDocuments(text).map((document) => document.toJS() as Resource);
  return differences(build(join(manifests, place)), resources);
}

// kubeconform asks for deployment-apps-v1.json, service-v1.json, ingress-networking-v1.json …
function writeSchemas(folder: string): void {
  for (const kind of Object.keys(schemas.kinds)) {
    const [apiVersion = "", name = ""] = kind.split(" ");
    const [version = "", group] = apiVersion.split("/").reverse();
    const suffix = [group?.split(".")[0], version].filter(Boolean).join("-");
    writeFileSync(join(folder, `${name.toLowerCase()}-${suffix}.json`), JSON.stringify(schemaOf(apiVersion, name)));
  }
}
