// Uploads that come in pieces. Each piece is a blob, noted in the upload's document: whichever replica is asked goes on from there.
import { AppError, isAttachmentId } from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import type { Blobs, Versioned } from "@parley/store";
import type { ApiStore, UploadDoc } from "../../store.ts";
import { newAttachmentId } from "../attachments.ts";
import { uploadLifeMs } from "../sweep.ts";

/** Unfinished ones of one user, counted about. */
const openMax = 100;

export type Upload = Versioned<UploadDoc>;

const pageDocuments = 200;

interface Kept {
  store: ApiStore;
  blobs: Blobs;
  /** marks a point where a test can end the process */
  pass: Pass;
}

export type Begun = Pick<UploadDoc, "uid" | "name" | "size" | "metadata">;

/** Throws `conflict` when its owner has too many that are not finished. */
export async function createUpload(store: ApiStore, begun: Begun): Promise<Upload> {
  const { items } = await store.uploads.find({ index: "open", equals: [begun.uid], limit: openMax });
  if (items.length === openMax)
    throw new AppError("conflict", `you have ${openMax} unfinished uploads; finish or delete one`);
  const id = newAttachmentId();
  await store.uploads.insert(id, { ...begun, pieces: [], openOf: begun.uid, expiresAt: Date.now() + uploadLifeMs });
  return readUpload(store, id);
}

/** Throws `not_found`, the same for what does not exist and for what is another's. */
export async function readUpload({ uploads }: ApiStore, id: string, uid?: string): Promise<Upload> {
  const upload = isAttachmentId(id) ? await uploads.get(id) : undefined;
  const isThere = upload && upload.doc.expiresAt > Date.now() && (uid === undefined || upload.doc.uid === uid);
  if (!isThere) throw new AppError("not_found", "there is no such upload for you");
  return upload;
}

/** True: it is an attachment. */
export function isFinished({ openOf }: UploadDoc): boolean {
  return openOf === undefined;
}

/** How many of its bytes are durable. */
export function offsetOf(doc: UploadDoc): number {
  return isFinished(doc) ? doc.size : doc.pieces.reduce((sum, { size }) => sum + size, 0);
}

/** Notes pieces that are durable. Throws `conflict` if another request was quicker, whose pieces are kept instead. */
export async function addPieces(
  { store, blobs }: Pick<Kept, "store" | "blobs">,
  upload: Upload,
  pieces: UploadDoc["pieces"],
): Promise<Upload> {
  const doc = { ...upload.doc, pieces: [...upload.doc.pieces, ...pieces] };
  if (await store.uploads.update(upload.key, doc, upload.version)) return readUpload(store, upload.key);
  await removeAll(blobs, pieces);
  throw new AppError("conflict", "another request has changed this upload; ask for its offset");
}

/** false: it has changed meanwhile. Over first, then its bytes, then its document: whoever dies half-way leaves it to be swept. */
export async function removeUpload({ store, blobs, pass }: Kept, { key, version, doc }: Upload): Promise<boolean> {
  if (!(await store.uploads.update(key, { ...doc, expiresAt: 0 }, version))) return false;
  pass("before-bytes-removed");
  await removeAll(blobs, doc.pieces);
  await store.uploads.remove(key);
  return true;
}

export async function removeAll(blobs: Blobs, pieces: UploadDoc["pieces"]): Promise<void> {
  for (const { blob } of pieces) await blobs.remove(blob);
}

/** Removes what nobody finished in time. `nowMs`: unix time. */
export async function sweepUnfinished(kept: Kept, nowMs: number, stopped: () => boolean = () => false): Promise<void> {
  while (!stopped()) {
    const { items } = await kept.store.uploads.find({ index: "expires", before: nowMs, limit: pageDocuments });
    if (items.length === 0) return;
    for (const upload of items) await removeUpload(kept, upload);
  }
}
