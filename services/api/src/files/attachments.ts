// Attachments and their bytes: each upload is an attachment of its own, equal bytes are stored once.
import {
  AppError,
  type Attachment,
  type attachmentsList,
  attachmentUrl,
  type Caller,
  isAttachmentId,
  type ResultOf,
} from "@parley/protocol";
import type { StoredBlob, Versioned } from "@parley/store";
import { askerOf } from "../call.ts";
import { isLookedAt } from "../media/make.ts";
import { randomName } from "../random-name.ts";
import { type ApiStore, type AttachmentDoc, type ContentDoc, errorOf, type SharedBytes } from "../store.ts";
import { bytesFor, isUploader, sharedOf } from "./for-others.ts";
import { mediaOf } from "./media-of.ts";
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

type Keeping = Pick<FileParts, "store" | "blobs" | "looks" | "wake" | "scans" | "pass">;

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
  parts.pass("before-attachment-settled");
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
  const media = content?.looked && mediaOf(id, content.looked);
  const scan = content?.scan;
  return {
    id,
    url: attachmentUrl(id),
    name,
    size,
    mime: type,
    hash: `sha256:${sha256}`,
    ...(media && { media }),
    ...(scan && { scan: scan.state }),
  };
}

/** Throws `not_found`, the same for what does not exist and for what is not the caller's to see. */
export async function findAttachment(
  { store, history }: Pick<FileParts, "store" | "history">,
  id: string,
  caller: Caller,
): Promise<AttachmentDoc> {
  const attachment = isAttachmentId(id) ? await store.attachments.get(id) : undefined;
  if (attachment && (await mayHave({ history }, attachment, askerOf(caller)))) return attachment.doc;
  throw new AppError("not_found", "there is no such attachment for you");
}

/** Whether the user has uploaded it, or may, with that device, read a message with it. */
export async function mayHave(
  { history }: Pick<FileParts, "history">,
  { key: file, doc }: Pick<Versioned<AttachmentDoc>, "key" | "doc">,
  asker: Pick<Caller, "uid" | "clientId">,
): Promise<boolean> {
  const [owner, ...heirs] = ownersOf(doc);
  return owner === asker.uid || (owner !== undefined && history.mayFetch({ file, owner, heirs, ...asker }));
}

/** Who has it, whoever else may. */
export function ownersOf({ uid, heirs = [], left }: AttachmentDoc): string[] {
  return left ? heirs : [uid, ...heirs];
}

/** `attachments.info`. */
export async function attachmentInfo(
  parts: Pick<FileParts, "store" | "history" | "blobs" | "looks">,
  id: string,
  caller: Caller,
): Promise<Attachment> {
  const { uid } = caller;
  const attachment = await findAttachment(parts, id, caller);
  if (isUploader(attachment, uid)) return shown(parts.store, id, attachment);
  const { sha256 } = await bytesFor(parts, attachment, uid, parts.looks.shares);
  return describeBytes(id, attachment, (await parts.store.contents.get(attachment.sha256))?.doc, sha256);
}

/** Whoever asks for many waits for so long, about (ms). */
const listMs = 5_000;

/**
 * `attachments.list`: one after the other, so that it holds one place where files are looked into. Throws what failed where
 * nothing could be told of any.
 */
export async function listAttachments(
  parts: Parameters<typeof attachmentInfo>[0],
  ids: readonly string[],
  caller: Caller,
): Promise<ResultOf<typeof attachmentsList>> {
  const attachments: Attachment[] = [];
  const failed: { id: string; error: AppError }[] = [];
  const until = performance.now() + listMs;
  for (const id of ids) {
    const told = performance.now() < until ? await attachmentInfo(parts, id, caller).catch(refusalOf) : outOfTime();
    if (!(told instanceof AppError)) attachments.push(told);
    else if (told.code !== "not_found") failed.push({ id, error: told });
  }
  const [first] = failed;
  if (!first) return { attachments };
  if (failed.length === ids.length) throw first.error;
  return { attachments, failed: failed.map(({ id, error: { code, message } }) => ({ id, code, message })) };
}

// A failure that nobody expects fails the whole.
function refusalOf(thrown: unknown): AppError {
  const error = errorOf(thrown);
  if (error.code === "internal") throw error;
  return error;
}

function outOfTime(): AppError {
  return new AppError("unavailable", "it took too long to look at those before it; ask again");
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
