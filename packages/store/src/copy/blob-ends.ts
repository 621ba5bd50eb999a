// Opens where the blobs of both ends are kept, and refuses what must not be copied before anything is written.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Blobs } from "../blobs/blobs.ts";
import { engineOf } from "../engines.ts";
import { openBlobsAt } from "../open-blobs.ts";
import { StoreError } from "../store-error.ts";

export type BlobPlaces = {
  service: string;
  /** As BLOBS_URL; undefined: beside FROM, beside TO. */
  from?: string | undefined;
  to?: string | undefined;
};

/** The blobs of one service at both ends. */
export type BlobPair = { service: string; from: Blobs; to: Blobs };

export type BlobEndsOptions = {
  from: string;
  to: string;
  places: BlobPlaces;
  /** TO holds the beginning of this copy: what is there is of it. */
  resumed: boolean;
};

/** undefined: there are none. Throws StoreError; its message says which end it is about. */
export async function openBlobEnds({ from, to, places, resumed }: BlobEndsOptions): Promise<BlobPair | undefined> {
  const { service } = places;
  const source = places.from ?? engineOf(from).blobsUrl(from, service);
  const target = places.to ?? engineOf(to).blobsUrl(to, service);
  if (!isThere(source)) {
    if (places.from === undefined) return undefined;
    throw new StoreError("invalid_url", "--blobs-from: there is no such folder");
  }
  if (placeOf(source) === placeOf(target))
    throw new StoreError("invalid_url", "the files of FROM and TO are in the same place: --no-blobs leaves them there");
  const opened = await open("--blobs-from", source, service);
  try {
    const other = await open("--blobs-to", target, service);
    if (resumed || !(await holdsAny(other))) return { service, from: opened, to: other };
    await other.close();
    throw new StoreError("duplicate_key", "--blobs-to: it holds files already; a copy goes into an empty place");
  } catch (error) {
    await opened.close();
    throw error;
  }
}

// Opening a folder makes it, and FROM is left as it is.
function isThere(url: string): boolean {
  return !isFolder(url) || existsSync(placeOf(url));
}

function placeOf(url: string): string {
  return isFolder(url) ? resolve(url.slice("files:".length)) : url;
}

function isFolder(url: string): boolean {
  return url.startsWith("files:");
}

async function open(flag: string, url: string, service: string): Promise<Blobs> {
  try {
    return await openBlobsAt(url, service);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `${flag}: ${error.message}`, { cause: error, details: error.details });
  }
}

async function holdsAny(blobs: Blobs): Promise<boolean> {
  for await (const _ of blobs.list()) return true;
  return false;
}
