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
  const chosen = url ?? engineOf(storeUrl).blobsUrl(storeUrl, service);
  const engine = engines.find(({ pattern }) => pattern.test(chosen));
  if (!engine) throw new StoreError("invalid_url", "BLOBS_URL: it is files:FOLDER, mongodb://… or s3+https://…");
  try {
    return await engine.open(chosen, service);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new StoreError(error.code, `BLOBS_URL: ${error.message}`, { cause: error, details: error.details });
  }
}
