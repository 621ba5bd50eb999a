// SQLite as an engine: `sqlite:FOLDER`, a folder of files for each service.
import { realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Engine } from "../engine.ts";
import { listSqliteServices } from "./list-services.ts";
import { openSqliteStore } from "./store.ts";

export const sqlite: Engine = {
  urls: "sqlite:FOLDER",
  takes: (url) => pattern.test(url),
  open: (url, { service, lockWaitMs, facts }) => openSqliteStore(join(folderOf(url), service), { lockWaitMs, facts }),
  listServices: (url) => listSqliteServices(folderOf(url)),
  identityOf: async (url) => `sqlite:${await realFolder(folderOf(url))}`,
  blobsUrl: (url, service) => `files:${join(folderOf(url), service, "blobs")}`,
};

const pattern = /^sqlite:(?:\/\/(?=\/))?(.+)$/;

function folderOf(url: string): string {
  return resolve(pattern.exec(url)?.[1] ?? "");
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
