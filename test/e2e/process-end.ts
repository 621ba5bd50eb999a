// Runs a service's program, or `npm start`'s, to its end: what it says and how it ends.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { programOf, type TestContext } from "@parley/testkit";

export const serviceNames = ["history", "presence", "search", "push", "auth-webhook", "api", "router", "edge"] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface End {
  code: number | null;
  stdout: string;
  stderr: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder that is removed after the test. */
export async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "parley-end-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Any health port, and a data folder of its own unless `env` says otherwise. */
export async function runService(
  t: TestContext,
  service: ServiceName,
  { env = {}, args = [] }: { env?: Record<string, string>; args?: string[] } = {},
): Promise<End> {
  const dir = env.PARLEY_DIR ?? (await freshFolder(t));
  return run(t, [programOf(`services/${service}/src/main.ts`), ...args], { PARLEY_DIR: dir, ...env });
}

/** What `npm start` runs once everything is installed, behind `prefix`; `files` is what its data folder then holds. */
export async function runStart(
  t: TestContext,
  env: Record<string, string>,
  prefix: readonly string[] = [],
): Promise<End & { files: string[] }> {
  const dir = env.PARLEY_DIR ?? (await freshFolder(t));
  const end = await run(t, ["packages/testkit/src/commands/start.ts"], { PARLEY_DIR: dir, ...env }, prefix);
  return { ...end, files: await readdir(dir) };
}

async function run(
  t: TestContext,
  args: string[],
  env: Record<string, string>,
  prefix: readonly string[] = [],
): Promise<End> {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const [command = "", ...rest] = [...prefix, process.execPath, ...args];
  const child = spawn(command, rest, { env: { ...inherited, ...env }, cwd: root });
  t.after(() => child.kill("SIGKILL"));
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const [code] = (await once(child, "exit")) as [number | null];
  return { code, stdout: await stdout, stderr: await stderr };
}
