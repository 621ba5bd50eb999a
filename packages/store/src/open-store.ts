// Opens the store that a URL names.
import type { Documents } from "./documents.ts";
import type { MessageLog } from "./log.ts";
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

/** `sqlite:DIRECTORY` → `DIRECTORY/{service}/…`. Throws StoreError: locked, newer_version, corrupt, invalid_url, unavailable. */
export async function openStore(url: string, _options: StoreOptions): Promise<Store> {
  throw new StoreError("invalid_url", `no engine serves ${url}`);
}
