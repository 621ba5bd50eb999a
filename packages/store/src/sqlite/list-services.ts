// Which services have files in a folder.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../store-error.ts";
import { databaseFiles } from "./store.ts";

/** Names of the folders in it that hold a database; a folder that is not there has none. Makes nothing. */
export async function listSqliteServices(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    const holds = (name: string) => databaseFiles.some((file) => existsSync(join(folder, name, file)));
    return names.filter(holds).sort();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    throw new StoreError("unavailable", `${folder}: it cannot be read: ${message}`, { cause });
  }
}
