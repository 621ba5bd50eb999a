// One service's part of a store, whatever engine keeps it.
import type { Documents } from "./documents.ts";
import type { Facts } from "./facts.ts";
import type { MessageLog } from "./log.ts";

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
