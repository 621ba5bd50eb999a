// Attachments and their bytes: each upload is an attachment of its own, equal bytes are stored once.
import { type Attachment, attachmentUrl } from "@parley/protocol";
import type { Blobs, StoredBlob } from "@parley/store";
import { randomName } from "../random-name.ts";
import type { ApiStore, AttachmentDoc } from "../store.ts";

export interface Uploaded {
  uid: string;
  name: string;
  type: string;
  stored: StoredBlob;
}

/**
 * Keeps what was stored. Whatever dies on the way leaves an attachment that nobody knows of, which is swept, and never one
 * without bytes: it has its own blob until it has another's.
 */
export async function keepAttachment(store: ApiStore, blobs: Blobs, uploaded: Uploaded): Promise<Attachment> {
  const { uid, name, type, stored } = uploaded;
  const id = `f-${randomName(32)}`;
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
  await store.attachments.insert(id, doc);
  const blob = await blobOf(store, stored, now);
  if (blob !== stored.id) {
    await store.attachments.put([{ key: id, doc: { ...doc, blob } }]);
    await blobs.remove(stored.id);
  }
  return describe(id, doc);
}

function describe(id: string, { name, size, type, sha256 }: AttachmentDoc): Attachment {
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
