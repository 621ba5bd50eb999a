// Where the manifests are, and which overlays there are.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

export const manifests = join(import.meta.dirname, "../../../deploy/k8s");

/** Names of the folders that an operator applies. */
export function overlayNames(): string[] {
  const overlays = join(manifests, "overlays");
  return readdirSync(overlays)
    .filter((name) => existsSync(join(overlays, name, "kustomization.yaml")))
    .sort();
}
