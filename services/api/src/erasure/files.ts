// Files of a user who is erased: those that others have sent on go to them, all others go.
import type { Blobs } from "@parley/store";
import { removeUpload, type Upload } from "../files/resumable/uploads.ts";
import { removeAttachment } from "../files/sweep.ts";
import type { History } from "../history.ts";
import type { ApiStore } from "../store.ts";

interface Parts {
  store: ApiStore;
  blobs: Blobs;
  history: History;
}

const pageAttachments = 100;

/** While its messages still show who had them from it. */
export async function handOverFiles({ store: { attachments }, history }: Parts, uid: string): Promise<void> {
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "uid", equals: [uid], limit: pageAttachments, ...(page === undefined ? {} : { page }) };
    const found = await attachments.find(query);
    for (const { key, doc, version } of found.items) {
      const { heirs = [] } = doc;
      const [heir, ...others] = await history.heirs({ file: key, owner: uid, heirs });
      if (heir === undefined) continue;
      const { heirs: _, ...rest } = doc;
      await attachments.update(key, { ...rest, uid: heir, ...(others.length > 0 ? { heirs: others } : {}) }, version);
    }
    page = found.next;
  }
}

/** Its uploads, and its attachments once its messages refer to nothing any more. */
export async function removeFiles(parts: Parts, uid: string): Promise<void> {
  const { uploads } = parts.store;
  for (let found: readonly Upload[] | undefined; found?.length !== 0; ) {
    found = (await uploads.find({ index: "uid", equals: [uid], limit: pageAttachments })).items;
    for (const upload of found) await removeUpload(parts, upload);
  }
  for (;;) {
    const { items } = await parts.store.attachments.find({ index: "uid", equals: [uid], limit: pageAttachments });
    for (const kept of items) await removeAttachment(parts, kept, Date.now());
    if (items.length === 0) return;
  }
}
