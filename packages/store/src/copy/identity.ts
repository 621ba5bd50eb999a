// What tells two stores apart, whatever their URLs look like; without passwords, so that it may be shown and kept.
import { realpath } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { sqliteFolder } from "../open-store.ts";

export async function identityOf(url: string): Promise<string> {
  const folder = sqliteFolder(url);
  if (folder !== undefined) return `sqlite:${await realFolder(folder)}`;
  const [, scheme = "", hosts = "", database = ""] = /^([\w+]+:\/\/)(?:[^@/]*@)?([^/?]*)(?:\/([^?]*))?/.exec(url) ?? [];
  const named = hosts
    .toLowerCase()
    .split(",")
    .map((host) => (scheme.includes("+srv") || /:\d+$/.test(host) ? host : `${host}:27017`));
  return `${scheme}${named.sort().join(",")}/${database || "parley"}`;
}

// The part that is not there yet has no other name.
async function realFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch {
    const parent = dirname(folder);
    return parent === folder ? folder : join(await realFolder(parent), basename(folder));
  }
}
