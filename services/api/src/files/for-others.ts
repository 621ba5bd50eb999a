// What a user gets of a file: who uploaded it all of it, everybody else the same without where it was made.
import { createHash } from "node:crypto";
import { changedStream } from "../location/apply.ts";
import { openBytes } from "../location/bytes.ts";
import { findLocation, maySayWhere } from "../location/find.ts";
import type { ApiStore, AttachmentDoc, SharedBytes } from "../store.ts";
import type { FileParts } from "./parts.ts";

type Parts = Pick<FileParts, "blobs"> & { store: Pick<ApiStore, "contents"> };

export function isUploader({ uid, handedOn }: AttachmentDoc, asking: string): boolean {
  return uid === asking && !handedOn;
}

/** Throws as `sharedOf` does. */
export async function bytesFor(parts: Parts, attachment: AttachmentDoc, uid: string): Promise<SharedBytes> {
  const asItIs = { sha256: attachment.sha256, changes: [] };
  return isUploader(attachment, uid) ? asItIs : ((await sharedOf(parts, attachment)) ?? asItIs);
}

/**
 * What others get; looked for once, and kept with what is known of the bytes. undefined: files of this kind are never changed, or its
 * bytes are gone. Throws `forbidden` where it cannot be taken out.
 */
export async function sharedOf(parts: Parts, attachment: AttachmentDoc): Promise<SharedBytes | undefined> {
  if (!maySayWhere(attachment.type)) return undefined;
  const known = (await parts.store.contents.get(attachment.sha256))?.doc.shared;
  if (known) return known;
  const found = await look(parts, attachment);
  if (found) await keep(parts, attachment.sha256, found);
  return found;
}

async function look({ blobs }: Parts, { blob, size, type, sha256 }: AttachmentDoc): Promise<SharedBytes | undefined> {
  const changes = await findLocation(openBytes(blobs, blob, size), type);
  if (changes.length === 0) return { sha256, changes };
  const bytes = await blobs.open(blob);
  if (!bytes) return undefined;
  const hash = createHash("sha256");
  for await (const chunk of changedStream(bytes, 0, changes)) hash.update(chunk);
  return { sha256: hash.digest("hex"), changes };
}

// Before its upload has ended nothing is known of them; what ends it notes this.
async function keep({ store: { contents } }: Parts, sha256: string, shared: SharedBytes): Promise<void> {
  for (;;) {
    const kept = await contents.get(sha256);
    if (!kept || kept.doc.shared) return;
    if (await contents.update(sha256, { ...kept.doc, shared }, kept.version)) return;
  }
}
