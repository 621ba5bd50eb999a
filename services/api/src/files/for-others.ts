// What a user gets of a file: who uploaded it all of it, everybody else the same without where it was made.
import { createHash } from "node:crypto";
import { addAbortSignal } from "node:stream";
import { AppError } from "@parley/protocol";
import type { Shares } from "../http/shares.ts";
import { changedStream } from "../location/apply.ts";
import { BytesGone, openBytes } from "../location/bytes.ts";
import { findLocation, maySayWhere } from "../location/find.ts";
import type { ApiStore, AttachmentDoc, SharedBytes } from "../store.ts";
import type { FileParts } from "./parts.ts";

type Parts = Pick<FileParts, "blobs" | "looks"> & { store: Pick<ApiStore, "contents"> };

export function isUploader({ uid, handedOn }: AttachmentDoc, asking: string): boolean {
  return uid === asking && !handedOn;
}

/** `shares`: which a place of `uid` is taken of if the file has to be looked into. Throws as `sharedOf` does, and `rate_limited` without such a place. */
export async function bytesFor(
  parts: Parts,
  attachment: AttachmentDoc,
  uid: string,
  shares?: Shares,
): Promise<SharedBytes> {
  const asItIs = { sha256: attachment.sha256, changes: [] };
  if (isUploader(attachment, uid)) return asItIs;
  return (await sharedOf(parts, attachment, shares && (() => shares.take(uid)))) ?? asItIs;
}

/**
 * What others get; looked for once, and kept with what is known of the bytes. undefined: files of this kind are never changed, or its
 * bytes are gone. Throws `forbidden` where it cannot be taken out, and `unavailable` where that is not known in time.
 */
export async function sharedOf(
  parts: Parts,
  attachment: AttachmentDoc,
  takePlace: () => (() => void) | undefined = () => () => undefined,
): Promise<SharedBytes | undefined> {
  if (!maySayWhere(attachment.type)) return undefined;
  const known = (await parts.store.contents.get(attachment.sha256))?.doc.shared;
  if (known) return known;
  const release = takePlace();
  if (!release) throw new AppError("rate_limited", "too many at once; wait until one has ended");
  try {
    return await parts.looks.at(attachment.blob, async (signal) => {
      const found = await look(parts, attachment, signal);
      if (found) await keep(parts, attachment.sha256, found);
      return found;
    });
  } finally {
    release();
  }
}

async function look(
  { blobs }: Parts,
  { blob, size, type, sha256 }: AttachmentDoc,
  signal: AbortSignal,
): Promise<SharedBytes | undefined> {
  const changes = await findLocation(openBytes(blobs, blob, size), type, signal).catch(noneWhereGone);
  if (!changes) return undefined;
  if (changes.length === 0) return { sha256, changes };
  const bytes = await blobs.open(blob);
  if (!bytes) return undefined;
  const hash = createHash("sha256");
  for await (const chunk of addAbortSignal(signal, changedStream(bytes, 0, changes))) hash.update(chunk);
  return { sha256: hash.digest("hex"), changes };
}

function noneWhereGone(error: unknown): undefined {
  if (!(error instanceof BytesGone)) throw error;
}

// Before its upload has ended nothing is known of them; what ends it notes this.
async function keep({ store: { contents } }: Parts, sha256: string, shared: SharedBytes): Promise<void> {
  for (;;) {
    const kept = await contents.get(sha256);
    if (!kept || kept.doc.shared) return;
    if (await contents.update(sha256, { ...kept.doc, shared }, kept.version)) return;
  }
}
