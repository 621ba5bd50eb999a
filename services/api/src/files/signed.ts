// attachments.signed: addresses of thumbnails that need no token, for notifications.
import {
  AppError,
  isAttachmentId,
  isUid,
  pushAskedMax,
  type SignedThumbnailsReply,
  type SignedThumbnailsRequest,
  thumbnailUrl,
} from "@parley/protocol";
import type { Versioned } from "@parley/store";
import type { History } from "../history.ts";
import { type ApiStore, type AttachmentDoc, errorOf } from "../store.ts";
import { ownersOf, refuseUnscanned } from "./attachments.ts";
import { writeGrant } from "./grants.ts";
import type { FileParts } from "./parts.ts";

export interface SignedParts extends Pick<FileParts, "scans"> {
  store: ApiStore;
  history: Pick<History, "mayAllFetch">;
  signingKey: Uint8Array;
  /** where devices reach api; undefined: it is not known, and no address is given */
  publicUrl: string | undefined;
}

const lifeSeconds = 15 * 60;
const filesAtOnce = 8;

type Asked = SignedThumbnailsRequest["asked"];
type Kept = Versioned<AttachmentDoc>;

export async function signedThumbnails(parts: SignedParts, asked: unknown): Promise<SignedThumbnailsReply> {
  if (!isAsked(asked)) throw new AppError("invalid_packet", `asked: at most ${pushAskedMax} of file and uid`);
  const { store, signingKey, publicUrl } = parts;
  if (publicUrl === undefined) return { urls: asked.map(() => null) };
  const kept = await withThumbnail(store, asked);
  const may = await whoMay(parts, kept, asked);
  const until = Math.floor(Date.now() / 1_000) + lifeSeconds;
  const urls = asked.map(({ file, uid }) =>
    may.has(`${file} ${uid}`) ? publicUrl + thumbnailUrl(file, writeGrant(signingKey, { file, uid, until })) : null,
  );
  return { urls };
}

function isAsked(asked: unknown): asked is Asked {
  const isOne = (one: unknown) => {
    const { file, uid } = (one ?? {}) as Record<string, unknown>;
    return typeof file === "string" && isAttachmentId(file) && typeof uid === "string" && isUid(uid);
  };
  return Array.isArray(asked) && asked.length <= pushAskedMax && asked.every(isOne);
}

async function withThumbnail(store: ApiStore, asked: Asked): Promise<ReadonlyMap<string, Kept>> {
  const kept = await store.attachments.getMany([...new Set(asked.map(({ file }) => file))]);
  const contents = await store.contents.getMany([...new Set([...kept.values()].map(({ doc }) => doc.sha256))]);
  return new Map([...kept].filter(([, { doc }]) => contents.get(doc.sha256)?.doc.looked?.thumbnail !== undefined));
}

/** `{file} {uid}` of those who may have it now. */
async function whoMay(parts: SignedParts, kept: ReadonlyMap<string, Kept>, asked: Asked): Promise<ReadonlySet<string>> {
  const may = new Set<string>();
  const files = [...kept];
  for (let at = 0; at < files.length; at += filesAtOnce)
    await Promise.all(
      files.slice(at, at + filesAtOnce).map(async ([file, { doc }]) => {
        const uids = [...new Set(asked.filter((one) => one.file === file).map(({ uid }) => uid))];
        for (const uid of await havingOf(parts, { file, doc, uids })) may.add(`${file} ${uid}`);
      }),
    );
  return may;
}

async function havingOf(
  parts: SignedParts,
  { file, doc, uids }: { file: string; doc: AttachmentDoc; uids: string[] },
): Promise<readonly string[]> {
  const [owner, ...heirs] = ownersOf(doc);
  if (owner === undefined || !(await isHarmless(parts, doc))) return [];
  return parts.history.mayAllFetch({ file, owner, heirs, uids });
}

/** As far as is known: for everybody else than its owner, who is not notified of it. */
async function isHarmless(parts: SignedParts, attachment: AttachmentDoc): Promise<boolean> {
  try {
    await refuseUnscanned(parts, attachment, "");
    return true;
  } catch (error) {
    if (["infected", "pending"].includes(errorOf(error).code)) return false;
    throw error;
  }
}
