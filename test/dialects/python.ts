// A Python with the packages that clients of a dialect need, kept for later runs.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runStep } from "../run-step.ts";

const cache = join(import.meta.dirname, "../../.tools/dialects");

/** Path of its interpreter. Throws with what the installation said where it fails. */
export async function pythonWith(...packages: string[]): Promise<string> {
  const name = createHash("sha256").update(packages.join(" ")).digest("hex").slice(0, 12);
  // One has pip, which takes longest to make, and installs into the others.
  const pip = await madeOnce("pip", (folder) => runStep({ program: "python3", args: ["-m", "venv", folder] }));
  return madeOnce(name, async (folder) => {
    await runStep({ program: "python3", args: ["-m", "venv", "--without-pip", folder] });
    const options = ["--quiet", "--disable-pip-version-check", "--python", join(folder, "bin/python")];
    await runStep({ program: pip, args: ["-m", "pip", ...options, "install", ...packages] });
  });
}

async function madeOnce(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cache, name);
  const python = join(folder, "bin/python");
  if (existsSync(python)) return python;
  await mkdir(cache, { recursive: true });
  // Built aside: another test file may want the same at this moment.
  const aside = await mkdtemp(`${folder}-`);
  await make(aside);
  await rename(aside, folder).catch(async (error: unknown) => {
    if (!existsSync(python)) throw error;
    await rm(aside, { recursive: true, force: true });
  });
  return python;
}
