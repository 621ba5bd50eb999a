// How much is stored, for the gauges: counted now and then, as it is too much to count whenever they are read.
import type { ApiStore } from "../store.ts";

export interface Stored {
  attachments: number;
  /** of attachments; equal bytes count once */
  bytes: number;
}

const pageAttachments = 500;

export async function countStored(
  { attachments }: Pick<ApiStore, "attachments">,
  stopped: () => boolean,
): Promise<Stored> {
  const stored: Stored = { attachments: 0, bytes: 0 };
  let last: string | undefined;
  for (let page: string | null | undefined; page !== null && !stopped(); ) {
    const query = { index: "blob", limit: pageAttachments, ...(page === undefined ? {} : { page }) };
    const { items, next } = await attachments.find(query);
    for (const { doc } of items) {
      stored.attachments += 1;
      // In the order of their blobs: those that share one stand together.
      if (doc.blob !== last) stored.bytes += doc.size;
      last = doc.blob;
    }
    page = next;
  }
  return stored;
}
