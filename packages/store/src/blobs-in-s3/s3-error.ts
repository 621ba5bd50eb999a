// What S3's failures mean to a caller of the port.
import { StoreError, type StoreErrorCode } from "../store-error.ts";

const denied = new Set(["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"]);
const full = new Set(["QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "InsufficientCapacity"]);

type Failure = { name?: string; message?: string; $metadata?: { httpStatusCode?: number } };

export function isMissing(error: unknown): boolean {
  const { name = "", $metadata } = error as Failure;
  return name === "NoSuchKey" || name === "NotFound" || (name !== "NoSuchBucket" && $metadata?.httpStatusCode === 404);
}

/** The range begins behind the last byte. */
export function isOutOfRange(error: unknown): boolean {
  const { name, $metadata } = error as Failure;
  return name === "InvalidRange" || $metadata?.httpStatusCode === 416;
}

/** Every failure of a call as StoreError. */
export function asS3Error(error: unknown, place: string): StoreError {
  if (error instanceof StoreError) return error;
  const { name = "Error", message = "", $metadata } = error as Failure;
  const fail = (code: StoreErrorCode, meaning: string) =>
    new StoreError(code, `${place}: ${meaning}`, { cause: error });
  if (denied.has(name) || $metadata?.httpStatusCode === 403)
    return fail("denied", "the server refuses these credentials, or what they may do");
  if (full.has(name) || $metadata?.httpStatusCode === 507) return fail("full", "the server has no space left");
  if (name === "NoSuchBucket") return fail("unavailable", "there is no such bucket");
  return fail("unavailable", `${name} ${message}`.slice(0, 300).replaceAll(/\s+/g, " "));
}
