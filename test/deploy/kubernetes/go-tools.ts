// Kustomize and kubeconform, made of their Go modules into .tools/.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../../..");

const modules = {
  kustomize: { path: "sigs.k8s.io/kustomize/kustomize/v5", version: "v5.8.2" },
  kubeconform: { path: "github.com/yannh/kubeconform/cmd/kubeconform", version: "v0.8.0" },
} as const;

/** The path of the program. Throws an Error of one line when it cannot be had. */
export function goTool(name: keyof typeof modules): string {
  const { path, version } = modules[name];
  const folder = join(root, ".tools", `${name}-${version}`);
  const program = join(folder, name);
  if (existsSync(program)) return program;
  process.stderr.write(`getting ${name} ${version} …\n`);
  // Go writes the program aside and renames it, so half of one is never there.
  const { error, status, stderr } = spawnSync("go", ["install", `${path}@${version}`], {
    encoding: "utf8",
    env: { ...process.env, GOBIN: folder },
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === "ENOENT") {
    throw new Error(
      `Go is missing, which ${name} is made with: install it (Debian: apt-get install golang, macOS: brew install go)`,
    );
  }
  if (error || status !== 0)
    throw new Error(`${name} could not be made: ${error?.message ?? stderr.trim().split("\n").at(-1)}`);
  return program;
}
