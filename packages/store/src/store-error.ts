// The one error of every port and engine, with its codes.

/**
 * - `duplicate_key`: another entry or document holds that key (`details` says which): the log's fence
 * - `gap`: a batch whose `pos` do not follow one another, or the last one stored; nothing from the gap on is stored
 * - `unavailable`: the engine cannot answer now; for a write the outcome is unknown: look it up, then try again
 * - `full`: no space left; nothing of the write is stored; works again once there is space
 * - `locked`: another process holds the store
 * - `newer_version`: written by a newer Parley; left as it is
 * - `mismatch`: written with another value of a constant that the data depends on; left as it is
 * - `corrupt`: not a store, half-written or damaged
 * - `denied`: the server refuses the user name and password, or what they may do; nothing is stored
 * - `invalid_page`, `invalid_key`, `invalid_url`: what the caller handed in is wrong
 */
export type StoreErrorCode =
  | "duplicate_key"
  | "gap"
  | "unavailable"
  | "full"
  | "locked"
  | "newer_version"
  | "mismatch"
  | "corrupt"
  | "denied"
  | "invalid_page"
  | "invalid_key"
  | "invalid_url";

export type StoreErrorDetails = Readonly<Record<string, string | number>>;

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: StoreErrorCode;
  readonly details: StoreErrorDetails;

  constructor(code: StoreErrorCode, message: string, options: { cause?: unknown; details?: StoreErrorDetails } = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.details = options.details ?? {};
  }
}
