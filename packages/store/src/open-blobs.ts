// Opens the blobs that a URL names: the table of their engines.
import { resolve } from "node:path";
import type { Blobs } from "./blobs/blobs.ts";
import { openFileBlobs } from "./blobs-in-files/file-blobs.ts";
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

// MongoDB's driver and Amazon's client are loaded where they are wanted: they are two thirds of what a service would load.
const engines: readonly { pattern: RegExp; open(url: string, service: string): Promise<Blobs> }[] = [
  { pattern: /^files:.+/, open: (url) => openFileBlobs(resolve(url.slice("files:".length))) },
  {
    pattern: /^mongodb(\+srv)?:\/\//,
    open: async (url, service) => (await import("./blobs-in-gridfs/gridfs-blobs.ts")).openGridFsBlobs(url, service),
  },
  { pattern: /^s3\+https?:\/\//, open: async (url) => (await import("./blobs-in-s3/s3-blobs.ts")).openS3Blobs(url) },
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
