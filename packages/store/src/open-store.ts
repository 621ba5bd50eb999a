// Opens the store that a URL names.
import { join, resolve } from "node:path";
import { refuseUnfinishedCopy } from "./copy/mark.ts";
import type { Documents } from "./documents.ts";
import type { MessageLog } from "./log.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import { StoreError } from "./store-error.ts";

export type StoreOptions = {
  /** Each service owns its own files or collections, named by this: `^[a-z][a-z0-9-]{0,62}$`. */
  service: string;
  /** How long to wait for another process to let go of the store. Default 10,000. */
  lockWaitMs?: number;
};

export interface Store {
  log(): MessageLog;
  documents(): Documents;
  /** Waits for writes under way. */
  close(): Promise<void>;
}

const servicePattern = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * `sqlite:FOLDER` → `FOLDER/{service}/…`.
 * Throws StoreError: `invalid_url`, `locked`, `newer_version`, `corrupt`, `unavailable`, `full`.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const store = await openEngine(url, options);
  try {
    await refuseUnfinishedCopy(store.documents());
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** `openStore` for the copy, which is not refused where it was not finished. */
export async function openEngine(url: string, { service, lockWaitMs = 10_000 }: StoreOptions): Promise<Store> {
  if (!servicePattern.test(service)) throw new TypeError(`a service's name is ${servicePattern}, not ${service}`);
  const folder = sqliteFolder(url);
  // The URL may hold a password: only its scheme is shown.
  if (folder === undefined) throw new StoreError("invalid_url", `STORE_URL is sqlite:FOLDER, not ${scheme(url)}`);
  return openSqliteStore(join(folder, service), lockWaitMs);
}

/** The folder, absolute, of a SQLite URL. */
export function sqliteFolder(url: string): string | undefined {
  const [, folder] = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(url) ?? [];
  return folder === undefined ? undefined : resolve(folder);
}

function scheme(url: string): string {
  const [, name] = /^([a-z][a-z0-9+.-]*:)/i.exec(url) ?? [];
  return name === undefined ? "a text without a scheme" : `${name}…`;
}
