// schemathesis, a fuzzer of HTTP interfaces that reads OpenAPI, in a Python environment of its own.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

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
  await runQuietly("python3", ["-m", "venv", folder]);
  await runQuietly(join(folder, "bin/pip"), ["install", "--quiet", `schemathesis==${version}`]);
  await writeFile(done, "");
  return program;
}

async function runQuietly(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const code = await new Promise<number | string | null>((resolve) => {
    child.once("error", ({ message }) => resolve(message));
    child.once("close", resolve);
  });
  if (code !== 0)
    throw new Error(`${program} ${args.join(" ")} ended with ${code} ${said}\nPython 3.10 with venv is needed`);
}
