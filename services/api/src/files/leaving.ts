// An attachment goes, and its bytes with the last one that has them: noted before its document does, as nobody finds them by it
// then. What a death leaves is removed at the next start.
import type { Pass } from "@parley/runtime";
import type { Blobs, Versioned } from "@parley/store";
import type { ApiStore, AttachmentDoc } from "../store.ts";

interface Kept {
  store: Pick<ApiStore, "attachments" | "contents" | "leaving">;
  blobs: Blobs;
}

/** Bytes that an upload has found are given to it by then. */
export const usedForMs = 10 * 60_000;
const pageDocuments = 200;

/** What nobody may have any more goes, with its bytes if no other attachment has them. false: it is gone or was changed. */
export async function removeAttachment(
  { store, blobs, pass }: Kept & { pass: Pass },
  { key, version, doc }: Versioned<AttachmentDoc>,
  nowMs: number,
): Promise<boolean> {
  const { blob, createdAt: foundAt } = doc;
  await store.leaving.put([{ key: blob, doc: { at: nowMs, foundAt } }]);
  if (!(await store.attachments.remove(key, version))) return false;
  pass("before-bytes-removed");
  await removeBytes({ store, blobs }, blob, nowMs, foundAt);
  return true;
}

/** What was about to be removed when somebody died. A note of bytes that are used stays while another one may be at it. */
export async function sweepLeaving(kept: Kept, nowMs: number, stopped: () => boolean = () => false): Promise<void> {
  const { leaving } = kept.store;
  for (let page: string | null | undefined; page !== null && !stopped(); ) {
    const { items, next } = await leaving.find({ limit: pageDocuments, ...(page === undefined ? {} : { page }) });
    for (const { key, doc, version } of items) {
      const isRemoved = await removeBytes(kept, key, nowMs, doc.foundAt);
      if (!isRemoved && doc.at < nowMs - usedForMs) await leaving.remove(key, version);
    }
    page = next;
  }
}

async function removeBytes(kept: Kept, blob: string, nowMs: number, foundAt: number | undefined): Promise<boolean> {
  if (!(await isUnused(kept, blob, nowMs, foundAt))) return false;
  await kept.blobs.remove(blob);
  await kept.store.leaving.remove(blob);
  return true;
}

/**
 * No attachment has the blob, and none will: it is not found by its hash any more. `foundAt`: of an upload that found these
 * bytes, and is over.
 */
export async function isUnused(
  { store: { attachments, contents, leaving }, blobs }: Kept,
  blob: string,
  nowMs: number,
  foundAt?: number,
): Promise<boolean> {
  const has = { equals: [blob], limit: 1 };
  if ((await attachments.find({ index: "blob", ...has })).items.length > 0) return false;
  const [known] = (await contents.find({ index: "blob", ...has })).items;
  if (!known) return (await contents.find({ index: "thumbnail", ...has })).items.length === 0;
  // An upload that has just found these bytes is about to have them; one that finds them now changes the version.
  if (known.doc.usedAt > nowMs - usedForMs && known.doc.usedAt !== foundAt) return false;
  const { thumbnail } = known.doc.looked ?? {};
  if (thumbnail) await leaving.put([{ key: thumbnail.blob, doc: { at: nowMs } }]);
  if (!(await contents.remove(known.key, known.version))) return false;
  if (!thumbnail) return true;
  await blobs.remove(thumbnail.blob);
  await leaving.remove(thumbnail.blob);
  return true;
}
