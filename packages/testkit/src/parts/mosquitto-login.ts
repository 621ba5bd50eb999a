// How Mosquitto is told its one login: by a file of passwords, which 2.1 reads by a plugin.
import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { promisify } from "node:util";
import { searchPath } from "../processes/child.ts";

const pluginName = "mosquitto_password_file.so";
const pluginFolders = [
  "/usr/lib/*/mosquitto",
  "/usr/lib{,64}/mosquitto",
  "/usr/local/lib/mosquitto",
  "/usr/local/lib",
  "/opt/homebrew/lib/mosquitto",
  "/opt/homebrew/lib",
];

/** The lines of the configuration that name the file. */
export async function loginLines(file: string): Promise<string[]> {
  const plugin = (await versionOfMosquitto()) >= 2.1 ? findPlugin() : undefined;
  // 2.1 and 2.2 still take `password_file`, with a warning; 3.0 will not.
  if (plugin === undefined) return ["allow_anonymous false", `password_file ${file}`];
  return ["allow_anonymous false", `plugin ${plugin}`, `plugin_opt_password_file ${file}`];
}

let version: Promise<number> | undefined;

/** 2.0, 2.1 …; 0 where it cannot be asked. */
function versionOfMosquitto(): Promise<number> {
  version ??= promisify(execFile)("mosquitto", ["-h"], { env: { ...process.env, PATH: searchPath() } })
    // It tells its version and ends with 3.
    .catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }))
    .then(({ stdout }) => Number(/version (\d+\.\d+)/.exec(stdout)?.[1] ?? 0));
  return version;
}

// MOSQUITTO_PLUGINS: a folder of them that is none of the usual ones.
function findPlugin(): string | undefined {
  const given = process.env.MOSQUITTO_PLUGINS;
  const folders = [...(given ? [given] : []), ...pluginFolders.flatMap((pattern) => globSync(pattern))];
  return folders.map((folder) => `${folder}/${pluginName}`).find((file) => existsSync(file));
}
