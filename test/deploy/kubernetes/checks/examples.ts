// deploy/k8s/examples: how servers are installed by their charts and operators, held against what those document and what Parley needs.
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { documented, strangePaths } from "../documented.ts";
import { manifests } from "../overlays.ts";
import type { Resource } from "../resources.ts";
import { readYaml } from "../yaml.ts";
import { type SecretKeys, secretReferences } from "./references.ts";

const root = join(manifests, "../..");

/** An example, and whose values or fields it has. */
export const exampleFiles: Readonly<Record<string, string>> = {
  "nats-values.yaml": "nats",
  "redis-values.yaml": "redis-ha",
  "mongodb.yaml": "mongodb",
  "emqx/emqx.yaml": "emqx",
  "vernemq-values.yaml": "vernemq",
  "prometheus-adapter-values.yaml": "prometheus-adapter",
  "alerts.yaml": "prometheus",
};

export interface Example {
  file: string;
  text: string;
  value: Record<string, unknown>;
}

export function readExamples(): Example[] {
  return globSync("**/*.yaml", { cwd: join(manifests, "examples") })
    .filter((file) => !file.endsWith("kustomization.yaml"))
    .sort()
    .map((file) => {
      const path = join(manifests, "examples", file);
      return { file, text: readFileSync(path, "utf8"), value: readYaml(path)[0] as Record<string, unknown> };
    });
}

/** Names that the chart or operator does not have. */
export function undocumented({ file, value }: Example): string[] {
  const name = exampleFiles[file];
  if (name === undefined) return [`${file}: nobody has said whose values these are`];
  return strangePaths(value, documented[name]!.keys).map((path) => `${file}: ${name} has no ${path}`);
}

/** Secrets and maps that an operator makes by the commands at the head of examples, beside those of `parley secrets`. */
export function madeByCommands(texts: readonly string[]): { secrets: SecretKeys; maps: string[] } {
  const commands = texts.flatMap((text) => [...text.matchAll(/create (secret generic|configmap) (\S+) (.*)$/gm)]);
  const secrets = commands
    .filter(([, kind]) => kind === "secret generic")
    .map(([, , name = "", rest = ""]) => [
      name,
      [...rest.matchAll(/--from-\w+=([\w.-]+)=/g)].map(([, key = ""]) => key),
    ]);
  return {
    secrets: Object.fromEntries(secrets) as SecretKeys,
    maps: commands.filter(([, kind]) => kind === "configmap").map(([, , name = ""]) => name),
  };
}

/** Files that the commands name: of the repository, or of the folder `secrets` that `parley secrets` makes. */
export function missingFiles(text: string, secretFiles: readonly string[]): string[] {
  const named = [...text.matchAll(/(?<![\w/.])((?:deploy|secrets)\/[\w./-]+)/g)].map(([, path = ""]) =>
    path.replace(/\.$/, ""),
  );
  return [...new Set(named)].filter((path) =>
    path.startsWith("secrets/")
      ? !secretFiles.some((file) => `secrets/${file}/`.startsWith(`${path}/`))
      : !existsSync(join(root, path)),
  );
}

/** Secrets and keys that an example reads and nobody makes. */
export function unmadeSecrets({ file, value }: Example, secrets: SecretKeys): string[] {
  const named = [...secretReferences({ spec: value } as unknown as Resource), ...namedOtherwise(value)];
  return (
    named
      // The certificate of one's own name comes from cert-manager, or whoever signs it.
      .filter(([name]) => !name.endsWith("-tls"))
      .filter(([name, key]) => secrets[name] === undefined || (key !== undefined && !secrets[name].includes(key)))
      .map(([name, key]) => `${file}: nobody makes the Secret ${name}${key === undefined ? "" : ` with ${key}`}`)
  );
}

// Charts and operators have words of their own for a key of a Secret.
function namedOtherwise(value: unknown): [string, string | undefined][] {
  if (typeof value !== "object" || value === null) return [];
  const one = value as Record<string, unknown>;
  const found: [string, string | undefined][] = [];
  if (typeof one.secretKey === "string") found.push([String(one.secretName), one.secretKey]);
  if (typeof one.existingSecret === "string") found.push([one.existingSecret, String(one.authKey ?? "auth")]);
  const reference = one.passwordSecretRef as { name: string; key: string } | undefined;
  if (reference) found.push([reference.name, reference.key]);
  return [...found, ...Object.values(one).flatMap(namedOtherwise)];
}
