// Opens the blobs that a URL names: the table of their engines.
import { resolve } from "node:path";
import type { Blobs } from "./blobs/blobs.ts";
import { openFileBlobs } from "./blobs-in-files/file-blobs.ts";
import { openGridFsBlobs } from "./blobs-in-gridfs/gridfs-blobs.ts";
import { openS3Blobs } from "./blobs-in-s3/s3-blobs.ts";
import { engineOf } from "./engines.ts";
import { StoreError } from "./store-error.ts";

export type BlobsOptions = {
  /** What is stored is named by it, like a store's. */
  service: string;
  /** `BLOBS_URL`; undefined: beside the store. */
  url?: string | undefined;
  /** `STORE_URL`. */
  storeUrl: string;
};

const engines: readonly { pattern: RegExp; open(url: string, service: string): Promise<Blobs> }[] = [
  { pattern: /^files:.+/, open: (url) => openFileBlobs(resolve(url.slice("files:".length))) },
  { pattern: /^mongodb(\+srv)?:\/\//, open: openGridFsBlobs },
  { pattern: /^s3\+https?:\/\//, open: openS3Blobs },
];

/**
 * `files:FOLDER` → files of it; `mongodb://…/DATABASE` → GridFS, `{service}.blobs.…`; `s3+https://KEY:SECRET@HOST/BUCKET` →
 * objects. Without a URL: of a SQLite store `{its folder}/{service}/blobs`, of MongoDB its database.
 * Throws StoreError: `invalid_url`, `denied`, `unavailable`, `full`; its message shows no password.
 */
export async function openBlobs({ service, url, storeUrl }: BlobsOptions): Promise<Blobs> {
  try {
    return await openBlobsAt(url ?? engineOf(storeUrl).blobsUrl(storeUrl, service), service);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `BLOBS_URL: ${error.message}`, { cause: error, details: error.details });
  }
}

/** The same of a URL that is known; its errors do not say where that came from. */
export async function openBlobsAt(url: string, service: string): Promise<Blobs> {
  const engine = engines.find(({ pattern }) => pattern.test(url));
  if (!engine) throw new StoreError("invalid_url", "it is files:FOLDER, mongodb://… or s3+https://…");
  return engine.open(url, service);
}
