// Ids of blobs: random, so that no two writers meet, and safe as names of files and in URLs.
import { randomBytes } from "node:crypto";
import { StoreError } from "../store-error.ts";

export const blobIdPattern = /^[0-9a-f]{32}$/;

export function newBlobId(): string {
  return randomBytes(16).toString("hex");
}

/** Throws `invalid_key`: nothing that is no id becomes a path. */
export function checkBlobId(id: string): void {
  if (!blobIdPattern.test(id)) throw new StoreError("invalid_key", `not the id of a blob: ${id.slice(0, 40)}`);
}
