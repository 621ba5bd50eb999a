// `npm run check:deploy`: every overlay as Kustomize itself builds it, each object of it checked by kubeconform, and held against what
// the tests build.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { build } from "./build.ts";
import { goTool } from "./go-tools.ts";
import { manifests, overlayNames } from "./overlays.ts";
import type { Resource } from "./resources.ts";
import { differences } from "./same.ts";
import { schemaOf, schemas } from "./schemas.ts";

try {
  const overlays = process.argv.length > 2 ? process.argv.slice(2) : overlayNames();
  process.exitCode = checkAll({ kustomize: goTool("kustomize"), kubeconform: goTool("kubeconform") }, overlays);
} catch (error) {
  process.stderr.write(`check:deploy: ${(error as Error).message}\n`);
  process.exitCode = 1;
}

function checkAll(programs: { kustomize: string; kubeconform: string }, overlays: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), "parley-schemas-"));
  try {
    writeSchemas(folder);
    const faults = overlays.flatMap((overlay) => check(programs, overlay, folder));
    for (const fault of faults) process.stdout.write(`${fault}\n`);
    process.stdout.write(`${overlays.length} overlays, ${faults.length} faults\n`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function check(
  { kustomize, kubeconform }: { kustomize: string; kubeconform: string },
  overlay: string,
  folder: string,
) {
  const place = join(manifests, "overlays", overlay);
  const built = spawnSync(kustomize, ["build", place], { encoding: "utf8" });
  if (built.status !== 0) return [`${overlay}: ${built.stderr.trim()}`];
  const location = join(folder, "{{ .ResourceKind }}{{ .KindSuffix }}.json");
  const checked = spawnSync(kubeconform, ["-strict", "-summary", "-schema-location", location, "-"], {
    encoding: "utf8",
    input: built.stdout,
  });
  const resources = parseAllDocuments(built.stdout).map((document) => document.toJS() as Resource);
  process.stdout.write(`${overlay}: ${checked.stdout.trim().split("\n").at(-1)}\n`);
  const invalid = checked.status === 0 ? [] : `${checked.stdout}${checked.stderr}`.trim().split("\n").slice(0, -1);
  return [...invalid, ...differences(build(place), resources)].map((fault) => `${overlay}: ${fault}`);
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
