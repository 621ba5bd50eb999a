// The jars of mongo-java-server: fetched once by Maven into .tools/, whole or not at all.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { searchPath } from "../processes/child.ts";
import { oneAtATime } from "../processes/one-at-a-time.ts";
import { SetupError } from "../processes/setup-error.ts";

const tools = join(import.meta.dirname, "../../../../.tools");
const pom = join(import.meta.dirname, "java-server/pom.xml");
const mavenLimitMs = 180_000;

/** The folder that holds them. Throws a SetupError where Maven cannot get them. */
export async function fetchJars(): Promise<string> {
  const mark = createHash("sha256")
    .update(await readFile(pom))
    .digest("hex")
    .slice(0, 12);
  const folder = join(tools, `mongo-java-server-${mark}`);
  if (existsSync(folder)) return folder;
  await oneAtATime(`${folder}.lock`, mavenLimitMs, async () => {
    if (!existsSync(folder)) await fetchInto(folder);
  });
  return folder;
}

async function fetchInto(folder: string): Promise<void> {
  const aside = `${folder}.${process.pid}`;
  await mkdir(aside, { recursive: true });
  try {
    const args = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${aside}`];
    const env = { ...process.env, PATH: searchPath() };
    await promisify(execFile)("mvn", args, { timeout: mavenLimitMs, env });
    await rename(aside, folder);
  } catch (cause) {
    throw new SetupError(`Maven could not get mongo-java-server: ${reasonOf(cause)}`, { cause });
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

function reasonOf(cause: unknown): string {
  const output = String((cause as { stdout?: string }).stdout || cause);
  const line = output.split("\n").find((text) => text.includes("[ERROR]")) ?? output.split("\n")[0] ?? "";
  return line.replace(/^.*\[ERROR\]\s*/, "").slice(0, 300);
}
