// A session in a file, for Node: for its owner alone, and whole or as it was before.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseSession, type SessionStore } from "./session-store.ts";

/** Several programs may use one file. */
export function fileSession(path: string): SessionStore {
  return {
    async load() {
      const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      });
      return parseSession(text);
    },
    async save(session) {
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const aside = `${path}.${crypto.randomUUID()}`;
      await writeFile(aside, `${JSON.stringify(session)}\n`, { mode: 0o600 });
      await rename(aside, path);
    },
  };
}
