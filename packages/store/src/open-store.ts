// Opens the store that a URL names.
import { join, resolve } from "node:path";
import { refuseUnfinishedCopy } from "./copy/mark.ts";
import type { Documents } from "./documents.ts";
import type { Facts } from "./facts.ts";
import type { MessageLog } from "./log.ts";
import { openMongoStore } from "./mongo/store.ts";
import { openSqliteStore } from "./sqlite/store.ts";
import { StoreError } from "./store-error.ts";

export type StoreOptions = {
  /** Each service owns its own files or collections, named by this: `^[a-z][a-z0-9-]{0,62}$`. */
  service: string;
  /** How long to wait for another process to let go of the store. Default 10,000. */
  lockWaitMs?: number;
  /**
   * Constants that what is stored depends on, like a number of partitions. Written at the first open; another value later
   * is `mismatch`.
   */
  facts?: Facts;
};

export interface Store {
  /** true: no other process can have it open, so whoever held its partitions is gone. */
  readonly exclusive: boolean;
  log(): MessageLog;
  documents(): Documents;
  /** The constants that it was written with. */
  facts(): Promise<Facts>;
  /** For readiness: writes something small. Rejects with a StoreError within 2 s when it could not write durably now. */
  check(): Promise<void>;
  /** Waits for writes under way. */
  close(): Promise<void>;
}

const servicePattern = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * `sqlite:FOLDER` → `FOLDER/{service}/…`; `mongodb://…/DATABASE` or `mongodb+srv://…` → collections `{service}_…` of it,
 * of the database `parley` if the URL names none.
 * Throws StoreError: `invalid_url`, `locked`, `newer_version`, `mismatch`, `corrupt`, `denied`, `unavailable`, `full`. Its
 * message is one line and shows no password.
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
export async function openEngine(url: string, options: StoreOptions): Promise<Store> {
  const { service, lockWaitMs = 10_000, facts = {} } = options;
  if (!servicePattern.test(service)) throw new TypeError(`a service's name is ${servicePattern}, not ${service}`);
  if (isMongoUrl(url)) return openMongoStore(url, service, facts);
  const folder = sqliteFolder(url);
  // The URL may hold a password: only its scheme is shown.
  if (folder === undefined)
    throw new StoreError("invalid_url", `STORE_URL is sqlite:FOLDER or mongodb://…, not ${scheme(url)}`);
  return openSqliteStore(join(folder, service), { lockWaitMs, facts });
}

export function isMongoUrl(url: string): boolean {
  return /^mongodb(\+srv)?:\/\//.test(url);
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
