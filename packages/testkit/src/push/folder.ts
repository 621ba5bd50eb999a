// A folder of a test's own for keys and certificates, which settings name by their files.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "../testing/start-servers.ts";

/** Writes a file; answers where it is. */
export type Write = (name: string, text: string) => Promise<string>;

/** It goes with the test. */
export async function keyFolder(t: TestContext): Promise<Write> {
  const folder = await mkdtemp(join(tmpdir(), "parley-keys-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return async (name, text) => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
}
