// Resumable uploads: tus 1.0.0 [tus.io/protocols/resumable-upload], as api serves it and the SDK speaks it.
import { attachmentIdPattern, attachmentPaths } from "./attachments.ts";

export const tus = {
  version: "1.0.0",
  extensions: ["creation", "creation-with-upload", "expiration", "termination", "checksum"],
  checksums: ["sha1", "sha256"],
  /** Content-Type of a body that is a part of the file */
  partType: "application/offset+octet-stream",
} as const;

/** Where uploads are created. */
export const uploadPaths = attachmentPaths.map((path) => `${path}/uploads`);

/** The address of an upload; `id` is that of the attachment that it becomes. */
export function uploadUrl(id: string): string {
  return `${uploadPaths[0]}/${id}`;
}

const addressPattern = new RegExp(`/attache?ments/uploads/(${attachmentIdPattern.slice(1, -1)})/?$`);

/** The id in the address of an upload. */
export function uploadIdOf(url: string): string | undefined {
  return addressPattern.exec(url)?.[1];
}

/** What is served on them. */
export const uploadRoutes = uploadPaths.flatMap((path) => [
  ...(["POST", "OPTIONS"] as const).map((verb) => ({ verb, path })),
  ...(["GET", "HEAD", "PATCH", "DELETE", "OPTIONS"] as const).map((verb) => ({ verb, path: `${path}/{id}` })),
]);
