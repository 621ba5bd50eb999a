// The pieces of an upload become one attachment, by the way of every other file: one stream, checked, hashed, stored once.
import { AppError, type Attachment, type ErrorCode } from "@parley/protocol";
import { inTime } from "../../in-time.ts";
import type { UploadDoc } from "../../store.ts";
import { keepAttachment, settle, shown } from "../attachments.ts";
import { checkedBytes } from "../checked-bytes.ts";
import type { FileParts } from "../parts.ts";
import { toldFull, totalMs } from "../upload.ts";
import { isFinished, offsetOf, readUpload, removeAll, removeUpload, type Upload } from "./uploads.ts";

export interface Finishing {
  /**
   * The attachment of an upload all of whose bytes are there; those who ask at once are given the same. Whatever dies on
   * the way, and whoever asks again, at any replica: it is made once, under the upload's id. Throws why it may not be
   * kept, and forgets the upload then; `rate_limited`, and keeps it, while too many others of its user are being made.
   */
  finish(upload: Upload): Promise<Attachment>;
}

export function createFinishing(parts: FileParts): Finishing {
  const running = new Map<string, Promise<Attachment>>();
  return {
    async finish(upload) {
      const known = running.get(upload.key);
      if (known) return known;
      if (isFinished(upload.doc)) return finish(parts, upload);
      // Of all that is to be done, also for those who ask and go.
      const release = parts.limits.endings.take(upload.doc.uid);
      if (!release) throw new AppError("rate_limited", "too many of your uploads are being finished; ask again");
      const work = finish(parts, upload).finally(() => {
        running.delete(upload.key);
        release();
      });
      running.set(upload.key, work);
      return work;
    },
  };
}

async function finish(parts: FileParts, { key }: Upload): Promise<Attachment> {
  const { store, blobs, pass } = parts;
  const upload = await readUpload(store, key);
  const made = await store.attachments.get(key);
  if (made && isFinished(upload.doc)) return shown(store, key, made.doc);
  const attachment = made ? await settle(parts, key, made) : await join(parts, upload);
  if (isFinished(upload.doc)) return attachment;
  pass("before-upload-end");
  const { openOf: _, ...doc } = upload.doc;
  // Where another replica was quicker, it removes the pieces.
  if (await store.uploads.update(key, { ...doc, pieces: [] }, upload.version)) await removeAll(blobs, doc.pieces);
  return attachment;
}

const refusals: ReadonlySet<ErrorCode> = new Set(["forbidden", "too_large", "infected"]);

async function join(parts: FileParts, upload: Upload): Promise<Attachment> {
  const { store, blobs, limits, closing, pass } = parts;
  const { uid, name, pieces } = upload.doc;
  // It was an attachment, and is gone.
  if (isFinished(upload.doc)) throw new AppError("not_found", "there is no such upload for you");
  const checks = { silenceMs: totalMs, totalMs, closing, ofKind: limits.ofKind, take: () => undefined };
  const { bytes, type } = checkedBytes(joined(parts, pieces), checks);
  try {
    const stored = await blobs.put(bytes).catch(toldFull);
    pass("before-attachment");
    return await keepAttachment(parts, { uid, name, type: type(), stored }, upload.key);
  } catch (error) {
    const made = await store.attachments.get(upload.key);
    if (made) return await shown(store, upload.key, made.doc);
    const isRefused = error instanceof AppError && refusals.has(error.code);
    if (isRefused) await removeUpload(parts, upload);
    throw error;
  }
}

async function* joined({ blobs, limits, closing }: FileParts, pieces: UploadDoc["pieces"]): AsyncGenerator<Uint8Array> {
  for (const { blob } of pieces) {
    const stream = await blobs.open(blob);
    // Another replica has finished, and removed them.
    if (!stream) throw new AppError("unavailable", "the upload has changed; ask for it again");
    try {
      yield* inTime(stream, { silenceMs: limits.silenceMs, totalMs, closing });
    } finally {
      stream.destroy();
    }
  }
}

/** True: nothing of it is missing. */
export function isWhole(doc: UploadDoc): boolean {
  return offsetOf(doc) === doc.size;
}
