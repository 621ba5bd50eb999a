// @parley/store/backup: what a backup is on disk, for the programs that make it and put it back.
export { derivedServices } from "../derived.ts";
export { StoreError } from "../store-error.ts";
export { BackupError } from "./backup-error.ts";
export { blobsFolder, copyBlobs } from "./blobs.ts";
export { type Manifest, readManifest, writeManifest } from "./manifest.ts";
export { type CopiedFile, copySecrets, copySynced, digest, listFiles, makeOrRefuse, sync } from "./private-files.ts";
export { putBack } from "./put-back.ts";
export { backupUnused } from "./unused.ts";
export { type VerifiedService, verifyService } from "./verify.ts";
