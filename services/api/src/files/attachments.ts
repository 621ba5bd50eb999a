// Attachments and their bytes: each upload is an attachment of its own, equal bytes are stored once.
import { AppError, type Attachment, attachmentUrl } from "@parley/protocol";
import type { Blobs, StoredBlob } from "@parley/store";
import { randomName } from "../random-name.ts";
import type { ApiStore, AttachmentDoc } from "../store.ts";

export interface Uploaded {
  uid: string;
  name: string;
  type: string;
  stored: StoredBlob;
}

/** Whoever knows it was told it: 160 random bits. */
export function newAttachmentId(): string {
  return `f-${randomName(32)}`;
}

/**
 * Keeps what was stored; once only, where the id is given and there is such an attachment. Whatever dies on the way leaves an attachment that nobody knows of, which is swept, and never one
 * without bytes: it has its own blob until it has another's.
 */
export async function keepAttachment(
  store: ApiStore,
  blobs: Blobs,
  uploaded: Uploaded,
  id = newAttachmentId(),
): Promise<Attachment> {
  const { uid, name, type, stored } = uploaded;
  const now = Date.now();
  const doc: AttachmentDoc = {
    uid,
    name,
    type,
    size: stored.size,
    sha256: stored.sha256,
    blob: stored.id,
    createdAt: now,
    unsentSince: now,
  };
  if (!(await store.attachments.insert(id, doc))) {
    await blobs.remove(stored.id);
    const made = await store.attachments.get(id);
    if (!made) throw new AppError("unavailable", "the attachment has just been removed");
    return describe(id, made.doc);
  }
  const blob = await blobOf(store, stored, now);
  if (blob !== stored.id) {
    await store.attachments.put([{ key: id, doc: { ...doc, blob } }]);
    await blobs.remove(stored.id);
  }
  return describe(id, doc);
}

export function describe(id: string, { name, size, type, sha256 }: AttachmentDoc): Attachment {
  return { id, url: attachmentUrl(id), name, size, type, hash: `sha256:${sha256}` };
}

// The blob that holds these bytes: an older one, whose mark of use keeps it from being swept meanwhile, or this one.
async function blobOf({ contents }: ApiStore, { id, sha256 }: StoredBlob, now: number): Promise<string> {
  for (;;) {
    const known = await contents.get(sha256);
    if (!known) {
      if (await contents.insert(sha256, { blob: id, usedAt: now })) return id;
    } else if (await contents.update(sha256, { ...known.doc, usedAt: now }, known.version)) return known.doc.blob;
  }
}
