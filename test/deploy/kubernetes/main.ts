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
      ...overlays.flatMap((place) => [...check(programs, place, folder), ...compare(programs, place)]),
      // Kinds of operators have schemas that are not kept here.
      ...examples.flatMap((place) => check(programs, place, folder, "-ignore-missing-schemas")),
    ];
    for (const fault of faults) process.stdout.write(`${fault}\n`);
    process.stdout.write(`${overlays.length} overlays, ${examples.length} examples, ${faults.length} faults\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function kustomized({ kustomize }: Programs, place: string) {
  const { status, stdout, stderr } = spawnSync(kustomize, ["build", join(manifests, place)], { encoding: "utf8" });
  return status === 0 ? { text: stdout } : { fault: `${place}: ${stderr.trim()}` };
}

function check(programs: Programs, place: string, schemaFolder: string, ...flags: string[]): string[] {
  const { text, fault } = kustomized(programs, place);
  if (text === undefined) return [fault];
  const location = join(schemaFolder, "{{ .ResourceKind }}{{ .KindSuffix }}.json");
  const { status, stdout, stderr } = spawnSync(
    programs.kubeconform,
    ["-strict", "-summary", ...flags, "-schema-location", location, "-"],
    { encoding: "utf8", input: text },
  );
  const lines = `${stdout}${stderr}`.trim().split("\n");
  process.stdout.write(`${place}: ${lines.at(-1)}\n`);
  return status === 0 ? [] : lines.slice(0, -1).map((line) => `${place}: ${line}`);
}

function compare(programs: Programs, place: string): string[] {
  const { text } = kustomized(programs, place);
  if (text === undefined) return [];
  const resources = parseAllDocuments(text).map((document) => document.toJS() as Resource);
  return differences(build(join(manifests, place)), resources).map((one) => `${place}: ${one}`);
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
