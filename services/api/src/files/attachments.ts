// Attachments and their bytes: each upload is an attachment of its own, equal bytes are stored once.
import { AppError, type Attachment, attachmentUrl, isAttachmentId, thumbnailUrl } from "@parley/protocol";
import type { StoredBlob, Versioned } from "@parley/store";
import { isLookedAt } from "../media/make.ts";
import { randomName } from "../random-name.ts";
import type { ApiStore, AttachmentDoc, ContentDoc, SharedBytes } from "../store.ts";
import { bytesFor, isUploader, sharedOf } from "./for-others.ts";
import type { FileParts } from "./parts.ts";

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

type Keeping = Pick<FileParts, "store" | "blobs" | "looks" | "wake" | "scans">;

/**
 * Keeps what was stored; once only, where the id is given and there is such an attachment. Whatever dies on the way leaves an attachment that nobody knows of, which is swept, and never one
 * without bytes: it has its own blob until it has another's. Throws `infected` if these bytes are known to be, and
 * `forbidden` if where they were made cannot be kept from others; `unavailable` if that is not known in time: it is looked into again
 * before anybody else gets it.
 */
export async function keepAttachment(parts: Keeping, uploaded: Uploaded, id = newAttachmentId()): Promise<Attachment> {
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
  if (!(await parts.store.attachments.insert(id, doc))) await parts.blobs.remove(stored.id);
  const made = await parts.store.attachments.get(id);
  if (!made) throw new AppError("unavailable", "the attachment has just been removed");
  return settle(parts, id, made);
}

/** Notes where its bytes are, and what is to be done with them; again, where whoever kept it may have died before. */
export async function settle(
  { store, blobs, looks, wake, scans }: Keeping,
  id: string,
  { doc, version }: Versioned<AttachmentDoc>,
): Promise<Attachment> {
  const refuse = async (refused: AppError): Promise<never> => {
    await store.attachments.remove(id, version);
    await blobs.remove(doc.blob);
    throw refused;
  };
  const shared = await sharedOf({ store, blobs, looks }, doc).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "forbidden") return refuse(error);
    throw error;
  });
  const content = await contentOf(store, doc, { scans, shared });
  const { blob, scan, looked } = content;
  if (scan?.state === "infected") return refuse(new AppError("infected"));
  if (blob !== doc.blob) {
    // One that is removed meanwhile, as its owner is erased, does not come back.
    if (await store.attachments.update(id, { ...doc, blob }, version)) await blobs.remove(doc.blob);
  }
  if (looked?.state === "pending" || scan?.state === "pending") wake();
  return describe(id, doc, content);
}

/** As the API shows it, with what is known of its bytes. */
export async function shown({ contents }: ApiStore, id: string, attachment: AttachmentDoc): Promise<Attachment> {
  return describe(id, attachment, (await contents.get(attachment.sha256))?.doc);
}

/** As the API shows it to its owner. */
export function describe(id: string, attachment: AttachmentDoc, content: ContentDoc | undefined): Attachment {
  const { uid, sha256 } = attachment;
  const others = content?.shared?.sha256 ?? sha256;
  if (!isUploader(attachment, uid)) return describeBytes(id, attachment, content, others);
  const described = describeBytes(id, attachment, content, sha256);
  return others === sha256 ? described : { ...described, sharedHash: `sha256:${others}` };
}

function describeBytes(
  id: string,
  { name, size, type }: AttachmentDoc,
  content: ContentDoc | undefined,
  sha256: string,
): Attachment {
  const media = mediaOf(id, content);
  const scan = content?.scan;
  return {
    id,
    url: attachmentUrl(id),
    name,
    size,
    type,
    hash: `sha256:${sha256}`,
    ...(media && { media }),
    ...(scan && { scan: scan.state }),
  };
}

function mediaOf(id: string, content: ContentDoc | undefined): Attachment["media"] {
  if (!content?.looked) return undefined;
  const { state, reason, made, thumbnail } = content.looked;
  if (!thumbnail) return { state, ...made, ...(reason && { reason }) };
  const { blob: _, ...shown } = thumbnail;
  return { state, ...made, thumbnail: { url: thumbnailUrl(id), ...shown } };
}

/** Throws `not_found`, the same for what does not exist and for what is not the caller's to see. */
export async function findAttachment(
  { store, history }: Pick<FileParts, "store" | "history">,
  id: string,
  uid: string,
): Promise<AttachmentDoc> {
  const attachment = isAttachmentId(id) ? (await store.attachments.get(id))?.doc : undefined;
  const [owner, ...heirs] = attachment ? ownersOf(attachment) : [];
  const may = owner === uid || (owner !== undefined && (await history.mayFetch({ file: id, owner, heirs, uid })));
  if (attachment && may) return attachment;
  throw new AppError("not_found", "there is no such attachment for you");
}

function ownersOf({ uid, heirs = [], left }: AttachmentDoc): string[] {
  return left ? heirs : [uid, ...heirs];
}

/** `attachments.info`. */
export async function attachmentInfo(
  parts: Pick<FileParts, "store" | "history" | "blobs" | "looks">,
  id: string,
  uid: string,
): Promise<Attachment> {
  const attachment = await findAttachment(parts, id, uid);
  if (isUploader(attachment, uid)) return shown(parts.store, id, attachment);
  const { sha256 } = await bytesFor(parts, attachment, uid, parts.looks.shares);
  return describeBytes(id, attachment, (await parts.store.contents.get(attachment.sha256))?.doc, sha256);
}

// Where these bytes are: an older blob, whose mark of use keeps it from being swept meanwhile, or this one.
async function contentOf(
  { contents }: ApiStore,
  attachment: AttachmentDoc,
  { scans, shared }: { scans: boolean; shared: SharedBytes | undefined },
): Promise<ContentDoc> {
  const { blob, sha256, type, size, createdAt } = attachment;
  const waits = { size, state: "pending", dueAt: createdAt, tries: 0 } as const;
  const toScan = scans ? { scan: waits } : {};
  const toShare = shared ? { shared } : {};
  const first: ContentDoc = {
    ...{ blob, usedAt: createdAt, ...toScan, ...toShare },
    ...(isLookedAt(type) ? { looked: { ...waits, type } } : {}),
  };
  for (;;) {
    const known = await contents.get(sha256);
    const content = known
      ? { ...toScan, ...toShare, ...known.doc, usedAt: Math.max(known.doc.usedAt, createdAt) }
      : first;
    const isKept = known
      ? await contents.update(sha256, content, known.version)
      : await contents.insert(sha256, content);
    if (isKept) return content;
  }
}

/** Throws `infected`, and `pending` to all but its owner until it is known to be harmless. */
export async function refuseUnscanned(
  { store, scans }: Pick<FileParts, "store" | "scans">,
  attachment: AttachmentDoc,
  uid: string,
): Promise<void> {
  const content = (await store.contents.get(attachment.sha256))?.doc;
  // Without a document its upload has not ended.
  const state = content ? content.scan?.state : "pending";
  // Also where nothing is scanned any more.
  if (state === "infected") throw new AppError("infected");
  if (scans && state === "pending" && attachment.uid !== uid)
    throw new AppError("pending", "it is not scanned yet; ask again");
}
