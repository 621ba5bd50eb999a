// What the package offers: three ports, their error, and the functions that open them.
export type { Blobs, ByteRange, LinkOptions, StoredBlob, SweepQuery, Swept } from "./blobs/blobs.ts";
export type {
  Collection,
  CollectionDefinition,
  Documents,
  FindQuery,
  IndexDefinition,
  IndexFields,
  IndexValue,
  Page,
  Versioned,
} from "./documents.ts";
export type { Facts } from "./facts.ts";
export type { EntryKey, LogEntry, LogPosition, MessageLog, RangeQuery, ReadEntry } from "./log.ts";
export { type BlobsOptions, openBlobs } from "./open-blobs.ts";
export { openStore, type StoreOptions } from "./open-store.ts";
export { phrasesOf } from "./search/phrases.ts";
export { wordsForm } from "./search/words.ts";
export {
  type AttachmentKind,
  attachmentKinds,
  type FoundMessage,
  type IndexedMessage,
  lastVersion,
  type SearchIndex,
  type SearchIndexes,
  type SearchQuery,
  type SearchTerm,
} from "./search-index.ts";
export type { Store } from "./store.ts";
export { StoreError, type StoreErrorCode, type StoreErrorDetails } from "./store-error.ts";
