// What failures of MongoDB and its driver mean to a caller of the ports.
import {
  MongoAPIError,
  MongoBulkWriteError,
  MongoClientClosedError,
  MongoCompatibilityError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNotConnectedError,
  MongoServerError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from "mongodb";
import { StoreError } from "../store-error.ts";

/** Codes of the server (mongo/src/mongo/base/error_codes.yml) that Parley looks at. */
export const serverCodes = {
  unauthorized: 13,
  authenticationFailed: 18,
  namespaceNotFound: 26,
  indexNotFound: 27,
  indexOptionsConflict: 85,
  indexKeySpecsConflict: 86,
  /** Hosted MongoDB: wrong password, or over the quota. */
  atlasError: 8000,
  namespaceExists: 48,
  duplicateKey: 11000,
  outOfDiskSpace: 14031,
} as const;

/**
 * Every failure that is not a bug as StoreError. Connection loss, step-down (189, 91, 10107 …) and a write that a majority
 * did not confirm (64, write concern errors) are one thing: `unavailable`, outcome unknown.
 */
export function asStoreError(error: unknown, place: string): unknown {
  const fail = (code: StoreError["code"], meaning: string) =>
    new StoreError(code, `${place}: ${meaning}`, { cause: error });
  // What a socket says while a command is written reaches us as it is.
  if (error instanceof Error && "syscall" in error) return fail("unavailable", `no answer (${error.message})`);
  if (!(error instanceof MongoError)) return error;
  if (isClosed(error)) return fail("unavailable", "the store is closed");
  if (error instanceof MongoCompatibilityError) return fail("unavailable", "the server is older than MongoDB 4.4");
  if (error instanceof MongoInvalidArgumentError || error instanceof MongoAPIError) return error;
  const { code } = error;
  if (code === serverCodes.duplicateKey && !(error instanceof MongoBulkWriteError))
    return fail("duplicate_key", "a unique value is taken");
  if (code === serverCodes.outOfDiskSpace) return fail("full", "the server's disk is full; free some space");
  if (isDenied(error)) return fail("denied", "the server refuses this user name and password, or what they may do");
  return fail("unavailable", meaningOf(error));
}

function isClosed(error: MongoError): boolean {
  return (
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoClientClosedError
  );
}

function isDenied({ code, message }: MongoError): boolean {
  if (code === serverCodes.unauthorized || code === serverCodes.authenticationFailed) return true;
  return code === serverCodes.atlasError && /auth/i.test(message);
}

function meaningOf(error: MongoError): string {
  if (error instanceof MongoWriteConcernError)
    return `a majority has not confirmed the write (${error.code}: ${error.message})`;
  if (!(error instanceof MongoServerError)) return `no answer (${error.message})`;
  const { codeName, code } = error;
  return `the server answered ${codeName ?? "an error"}${code === undefined ? "" : ` (${code})`}: ${error.message}`;
}
