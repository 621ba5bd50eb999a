// One service's part of a store, whatever engine keeps it.
import type { Documents } from "./documents.ts";
import type { Facts } from "./facts.ts";
import type { MessageLog } from "./log.ts";
import type { SearchIndexes } from "./search-index.ts";

export interface Store {
  /** true: no other process can have it open, so whoever held its partitions is gone. */
  readonly exclusive: boolean;
  log(): MessageLog;
  documents(): Documents;
  /** Made of the log, and made again where they are missing: neither copied nor backed up. */
  searchIndexes(): SearchIndexes;
  /** The constants that it was written with. */
  facts(): Promise<Facts>;
  /** Nothing of log and documents that was replaced or removed is on the disk any more when it resolves, where the engine can promise that. */
  compact(): Promise<void>;
  /** For readiness: writes something small. Rejects with a StoreError within 2 s when it could not write durably now. */
  check(): Promise<void>;
  /**
   * Copies everything into an empty folder while it is used; the engine that keeps it in files of its own has this. The
   * copy of the documents is never newer than that of the log, which they are projections of. `tell` hears of pages.
   */
  backup?(folder: string, tell: (done: number, of: number) => void): Promise<void>;
  /** Waits for writes under way. */
  close(): Promise<void>;
}
