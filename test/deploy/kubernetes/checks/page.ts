// docs/deploy-kubernetes.md: its commands, as an operator follows them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerAddresses } from "../../../../packages/cli/src/secrets/make-secrets.ts";
import { withMadeSecrets } from "../../made-secrets.ts";
import { manifests } from "../overlays.ts";
import { madeByCommands } from "./examples.ts";
import type { SecretKeys } from "./references.ts";

export const page = readFileSync(join(manifests, "../../docs/deploy-kubernetes.md"), "utf8");

/** The page has these commands twice, for a cluster of one's own and for production. */
export type Stage = "dev" | "production";

export function stageOf(overlay: string): Stage {
  return overlay === "dev" ? "dev" : "production";
}

/** The addresses that `parley secrets` is given. */
export function addressesOf(stage: Stage, text: string = page): ServerAddresses {
  const commands = [...text.replaceAll(/\\\n\s*/g, "").matchAll(/parley -- secrets secrets (.*)$/gm)];
  const flags = commands[stage === "dev" ? 0 : 1]?.[1] ?? "";
  const addresses = [...flags.matchAll(/--(\w+) (\S+)/g)].map(([, name = "", address = ""]) => [name, address]);
  return Object.fromEntries(addresses) as ServerAddresses;
}

/** The folders that a Secret each is made of. */
export function readersOf(stage: Stage, text: string = page): string[] {
  const loops = [...text.matchAll(/^for reader in (.*); do$/gm)].map(([, names = ""]) => names.split(" "));
  return loops[stage === "dev" ? 0 : 1] ?? [];
}

/** The Secrets that there are when the page was followed, and their keys. */
export function secretKeysOf(stage: Stage, text: string = page): SecretKeys {
  return withMadeSecrets(addressesOf(stage, text), (folder) => {
    const keys = (name: string) => readdirSync(join(folder, name)).sort();
    const made = readersOf(stage, text).map((reader) => [`parley-${reader}`, keys(reader)] as const);
    return { ...Object.fromEntries(made), ...madeByCommands([text]).secrets, "parley-secrets": keys("parley") };
  });
}
