// Opens the store that a URL names.
import { refuseUnfinishedCopy } from "./copy/mark.ts";
import { engineOf } from "./engines.ts";
import type { Facts } from "./facts.ts";
import type { Store } from "./store.ts";
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

const servicePattern = /^[a-z][a-z0-9-]{0,62}$/;

/**
 * `sqlite:FOLDER` → `FOLDER/{service}/…`; `mongodb://…/DATABASE` or `mongodb+srv://…` → collections `{service}_…` of it,
 * of the database `parley` if the URL names none.
 * Throws StoreError: `invalid_url`, `locked`, `newer_version`, `mismatch`, `corrupt`, `denied`, `unavailable`, `full`. Its
 * message is one line and shows no password.
 */
export async function openStore(url: string, options: StoreOptions): Promise<Store> {
  const store = await openUnchecked(url, options).catch((error: unknown) => {
    throw isInvalidUrl(error) ? new StoreError(error.code, `STORE_URL: ${error.message}`, { cause: error }) : error;
  });
  try {
    await refuseUnfinishedCopy(store.documents());
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** `openStore` for the copy, which is not refused where it was not finished. */
export async function openUnchecked(url: string, options: StoreOptions): Promise<Store> {
  const { service, lockWaitMs = 10_000, facts = {} } = options;
  if (!servicePattern.test(service)) throw new TypeError(`a service's name is ${servicePattern}, not ${service}`);
  return engineOf(url).open(url, { service, lockWaitMs, facts });
}

function isInvalidUrl(error: unknown): error is StoreError {
  return error instanceof StoreError && error.code === "invalid_url";
}
