// schemathesis, a fuzzer of HTTP interfaces that reads OpenAPI, in a Python environment of its own.
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runStep } from "../run-step.ts";

const version = "4.32.5";
const tools = join(import.meta.dirname, "../../.tools");

/** The path of the program; installs it once. Throws what the user can do about it. */
export async function fuzzer(log: (line: string) => void): Promise<string> {
  const folder = join(tools, `schemathesis-${version}`);
  const program = join(folder, "bin/schemathesis");
  const done = join(folder, ".installed");
  if (existsSync(done)) return program;
  log(`installing schemathesis ${version} …`);
  await rm(folder, { recursive: true, force: true });
  try {
    await runStep({ program: "python3", args: ["-m", "venv", folder] });
    await runStep({ program: join(folder, "bin/pip"), args: ["install", "--quiet", `schemathesis==${version}`] });
  } catch (error) {
    throw new Error(`${(error as Error).message}\nPython 3.10 with venv is needed`);
  }
  await writeFile(done, "");
  return program;
}
