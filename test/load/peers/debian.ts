// Programs of Debian packages without installing them: no service of theirs is started, and nothing outside the folder changes.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const outputMax = 16 * 1024 * 1024;

/**
 * Unpacks the packages and what they need into `folder`, once; what is installed on this machine is not among it. Throws a message for
 * people.
 */
export async function bringPackages(folder: string, packages: readonly string[], say: (line: string) => void) {
  if (existsSync(folder)) return;
  await mkdir(dirname(folder), { recursive: true });
  const made = await mkdtemp(`${folder}-`);
  try {
    const wanted = await missingOf(packages);
    say(`fetching ${packages.join(" and ")} with apt-get (${wanted.length} packages, into .tools)`);
    const debs = join(made, "debs");
    await mkdir(debs);
    await run("apt-get", ["download", "--quiet", ...wanted], { cwd: debs, maxBuffer: outputMax });
    for (const deb of await readdir(debs)) await run("dpkg-deb", ["--extract", join(debs, deb), made]);
    await rm(debs, { recursive: true });
    await rename(made, folder);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    const reason = (error as Error).message.trim().split("\n").at(-1);
    throw new Error(`${packages.join(" and ")} cannot be had by apt-get on this machine: ${reason}`);
  }
}

async function missingOf(packages: readonly string[]): Promise<string[]> {
  const args = ["install", "--simulate", "--no-install-recommends", "--reinstall", ...packages];
  const { stdout } = await run("apt-get", args, { maxBuffer: outputMax });
  return stdout
    .split("\n")
    .filter((line) => line.startsWith("Inst "))
    .map((line) => line.split(" ")[1] ?? "");
}

/** A file of the folder, or else of this machine. Throws when neither has it. */
export function fileOf(folder: string, path: string): string {
  const found = [join(folder, path), join("/", path)].find((file) => existsSync(file));
  if (found === undefined) throw new Error(`${path} is neither in ${folder} nor on this machine`);
  return found;
}
