// What SQLite's failures mean to a caller of the ports.
import { StoreError, type StoreErrorCode } from "../store-error.ts";

// https://sqlite.org/rescode.html, primary codes.
const codes: Readonly<Record<number, [StoreErrorCode, string]>> = {
  5: ["locked", "another process holds it"],
  6: ["locked", "another process holds it"],
  8: ["unavailable", "it cannot be written: check the owner and the mode of the file and its folder"],
  10: ["unavailable", "the disk failed to read or write it"],
  11: ["corrupt", "it is damaged or half-written; put back a copy, or move it away to begin with an empty one"],
  13: ["full", "the disk is full; free some space"],
  14: ["unavailable", "it cannot be opened: check the owner and the mode of the file and its folder"],
  26: ["corrupt", "it is not a database; put back a copy, or move it away to begin with an empty one"],
};
const uniqueViolations = new Set([1555, 2067]);

function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode : undefined;
}

/** The columns or the index of a broken unique constraint; undefined: the error is another. */
export function brokenConstraint(error: unknown): string | undefined {
  const code = sqliteCode(error);
  if (code === undefined || !uniqueViolations.has(code)) return undefined;
  return /constraint failed: (.*)$/.exec((error as Error).message)?.[1] ?? "unknown";
}

/**
 * A backup that began amid a write of its own process: Node 24.21 takes SQLITE_LOCKED of a first step for the end, and rejects with
 * "not an error" (code 0) in place of asking again. Nothing is copied by then.
 */
export function hasMetWrite(error: unknown): boolean {
  return sqliteCode(error) === 0;
}

/** A failure of the disk or of the file as StoreError; everything else, a bug, as it is. */
export function asStoreError(error: unknown, path: string): unknown {
  const known = codes[(sqliteCode(error) ?? 0) & 0xff];
  if (!known) return error;
  const [code, meaning] = known;
  return new StoreError(code, `${path}: ${meaning}`, { cause: error, details: { path } });
}
