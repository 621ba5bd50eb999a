// The files that the programs of Parley are started with.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The folder of the project. */
export const root = join(import.meta.dirname, "../../../..");

/** The sources of all programs, from the project's folder. */
export const programs = [
  "services/history/src/main.ts",
  "services/presence/src/main.ts",
  "services/search/src/main.ts",
  "services/push/src/main.ts",
  "services/auth-webhook/src/main.ts",
  "services/api/src/main.ts",
  "services/router/src/main.ts",
  "services/edge/src/main.ts",
  "packages/cli/src/main.ts",
  "packages/testkit/src/commands/whole.ts",
] as const;

export type ProgramSource = (typeof programs)[number];

/** What to start a program with: the bundle that `bundlePrograms` has made of it, else its source. */
export function programOf(source: ProgramSource): string {
  const bundle = join(process.env.PARLEY_BUNDLES ?? "", bundleOf(source));
  return process.env.PARLEY_BUNDLES && existsSync(bundle) ? bundle : join(root, source);
}

/** The file of a program's bundle in the folder of all. */
function bundleOf(source: ProgramSource): string {
  return source.replace(/\.ts$/, ".js");
}

/** Was a process with this command line started with this program, of these sources or of others before them? */
export function isStartedWith(source: ProgramSource, command: string): boolean {
  return (
    command.includes(join(root, source)) || (command.includes(bundlesFolder) && command.includes(bundleOf(source)))
  );
}

/** Where bundles are kept, by what they were made of. */
export const bundlesFolder = join(root, ".tools/bundles");
