// What `parley secrets` makes, for a look at it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeSecrets, type ServerAddresses } from "../../packages/cli/src/secrets/make-secrets.ts";

/** The folder is there during `look` alone; `files`: the paths in it that readers are given. */
export function withMadeSecrets<T>(addresses: ServerAddresses, look: (folder: string, files: string[]) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "parley-secrets-"));
  try {
    return look(folder, makeSecrets(folder, addresses));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
