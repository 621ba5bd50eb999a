// The Secrets that docs/deploy-kubernetes.md has an operator make: one for each folder that `parley secrets` writes.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecrets } from "../../../../packages/cli/src/secrets/make-secrets.ts";
import type { SecretKeys } from "./references.ts";

/** What `kubectl create secret generic parley-READER --from-file=READER` makes of them; the folder `parley` is parley-secrets. */
export function readSecretKeys(): SecretKeys {
  const folder = mkdtempSync(join(tmpdir(), "parley-secret-keys-"));
  try {
    makeSecrets(folder, { nats: "nats:4222", redis: "redis:6379", mongo: "mongodb:27017", hooks: "auth-webhook:8090" });
    const readers = readdirSync(folder).filter((name) => name !== "passwords");
    return Object.fromEntries(
      readers.map((name) => [
        name === "parley" ? "parley-secrets" : `parley-${name}`,
        readdirSync(join(folder, name)).sort(),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
