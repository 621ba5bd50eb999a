// The port Blobs: large byte strings that are written once, as streams, and never changed.
import type { Readable } from "node:stream";

/** A blob that is durable. */
export type StoredBlob = {
  /** Made by the store: `^[0-9a-f]{32}$`. */
  id: string;
  /** Bytes. */
  size: number;
  /** SHA-256 of the bytes, 64 hex digits. */
  sha256: string;
};

/** A blob as a list shows it; `at`: unix ms, when it was finished, by the clock of the place where it is kept. */
export type KeptBlob = { id: string; size: number; at: number };

/** Positions of bytes, from 0, both ends included; `end` may lie behind the last byte. */
export type ByteRange = { start: number; end: number };

export type LinkOptions = {
  /** How long the link holds, seconds. */
  seconds: number;
  /** What its answer says of the bytes: the headers Content-Type, Content-Disposition and Cache-Control. */
  type: string;
  disposition: string;
  cacheControl: string;
};

export type SweepQuery = {
  /** Unix ms: only what was begun before it is looked at. No `put` may take longer than since then. */
  before: number;
  /** Which of these blobs are in use, at most 500 at a time; all others of them are removed. */
  inUse(ids: readonly string[]): Promise<ReadonlySet<string>>;
};

export type Swept = {
  /** Blobs that nobody uses. */
  blobs: number;
  /** What a `put` that did not end has left. */
  partial: number;
};

/** All methods throw StoreError: `unavailable`, `denied`, `put` and `restore` also `full`; `invalid_key` for an id that cannot be one. */
export interface Blobs {
  /**
   * Stores a stream under a new id, with constant memory, and resolves when it is durable: whoever knows the id can open it.
   * Rejects with the stream's own error if that fails; nothing that can be opened is left then. `corrupt`: a server has
   * stored other bytes than it was sent; they are removed.
   */
  put(bytes: AsyncIterable<Uint8Array>): Promise<StoredBlob>;

  /** `put` under an id that another place gave: for what is not there yet, or of which an ended process left a beginning. */
  restore(id: string, bytes: AsyncIterable<Uint8Array>): Promise<StoredBlob>;

  /** All blobs, in the order of their ids. What is put or removed meanwhile may be missing or there. */
  list(): AsyncIterable<KeptBlob>;

  /**
   * The bytes of the range, or all; undefined if there is no such blob. Its `error` is a StoreError: `unavailable` too when no byte
   * arrives for 30 s while it is read. Destroy it or read it to its end.
   */
  open(id: string, range?: ByteRange): Promise<Readable | undefined>;

  /**
   * A URL of the server that keeps the blob, under which anybody may read it, ranges too, as long as the link holds; asks nobody, so
   * that of what is not there it is a link to nothing. Absent: this engine has none.
   */
  link?(id: string, options: LinkOptions): Promise<string>;

  /** false: there was none. */
  remove(id: string): Promise<boolean>;

  /** Removes blobs that nobody uses and what was never finished. May run in several processes at once. */
  sweep(query: SweepQuery): Promise<Swept>;

  /** For readiness: rejects within 2 s when nothing could be stored now. */
  check(): Promise<void>;

  /** Waits for nothing: what is under way fails. */
  close(): Promise<void>;
}
