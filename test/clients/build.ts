// Installs a client's library and builds its driver into a folder that later runs find again.
import { createHash } from "node:crypto";
import { accessSync, constants, existsSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { runStep } from "../run-step.ts";
import type { StockClient } from "./catalogue.ts";

const drivers = join(import.meta.dirname, "drivers");
const cache = join(import.meta.dirname, "../../.tools/clients");

/** Why a client cannot be tried on this machine, or undefined. */
export function missing({ needs, headers }: StockClient): string | undefined {
  const program = needs.find((name) => !isInPath(name));
  if (program !== undefined) return `${program} is not installed`;
  if (headers && !existsSync(headers.file)) return `${headers.apt} is not installed`;
  return undefined;
}

/** The folder with the driver in it. Throws with the end of what a failed step said. */
export async function build(client: StockClient): Promise<string> {
  const folder = join(cache, `${client.name}-${await recipeOf(client)}`);
  if (existsSync(join(folder, ".built"))) return folder;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const source of client.sources) await cp(join(drivers, source), join(folder, placeOf(source)));
  for (const step of client.install(folder)) await runStep(step);
  await writeFile(join(folder, ".built.new"), "");
  await rename(join(folder, ".built.new"), join(folder, ".built"));
  return folder;
}

// `rumqttc/src/main.rs` is `src/main.rs` there.
function placeOf(source: string): string {
  return source.includes("/src/") ? join("src", basename(source)) : basename(source);
}

async function recipeOf(client: StockClient): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(client.install("")));
  for (const source of client.sources) hash.update(await readFile(join(drivers, source)));
  return hash.digest("hex").slice(0, 12);
}

function isInPath(program: string): boolean {
  return (process.env.PATH ?? "").split(":").some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
