// What failures of a file system mean to a caller of the port.
import { StoreError, type StoreErrorCode } from "../store-error.ts";

const codes: Readonly<Record<string, [StoreErrorCode, string]>> = {
  ENOSPC: ["full", "the disk is full; free some space"],
  EDQUOT: ["full", "the quota is used up; free some space"],
  EACCES: ["unavailable", "it cannot be used: check the owner and the mode of the folder"],
  EPERM: ["unavailable", "it cannot be used: check the owner and the mode of the folder"],
  EROFS: ["unavailable", "the disk is read-only"],
  EIO: ["unavailable", "the disk failed to read or write it"],
  EMFILE: ["unavailable", "too many files are open"],
  ENFILE: ["unavailable", "too many files are open"],
  ENOTDIR: ["unavailable", "a part of the path is no folder"],
  ENOENT: ["unavailable", "the folder is gone"],
};

/** A failure of the disk as StoreError; everything else, the stream's own error too, as it is. */
export function asFileError(error: unknown, folder: string): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  const known = syscall === undefined ? undefined : codes[code ?? ""];
  if (!known) return error;
  return new StoreError(known[0], `${folder}: ${known[1]}`, { cause: error, details: { path: folder } });
}
