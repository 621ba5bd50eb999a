// GET /attachments/{id} and its thumbnail, also by a grant: the bytes, whole or a range, for who may have them; nothing in them runs.
import { AppError, type Caller } from "@parley/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { readQuery } from "../http/query.ts";
import { changedStream } from "../location/apply.ts";
import type { AttachmentDoc, SharedBytes } from "../store.ts";
import { findAttachment, refuseUnscanned } from "./attachments.ts";
import { bytesFor } from "./for-others.ts";
import { disposition } from "./names.ts";
import type { FileParts } from "./parts.ts";
import { namesTag, readRange } from "./range.ts";
import { mayBeShown } from "./sniff.ts";

/** A device that reads nothing for so long is let go (ms). */
const unreadMs = 60_000;

interface Served {
  blob: string;
  size: number;
  type: string;
  name: string;
  /** a strong entity tag */
  tag: string;
  /** of the blob's bytes, as they are sent */
  changes: SharedBytes["changes"];
}

/** Throws AppErrors; the same for what does not exist and for what is not the caller's to see. */
export async function download(
  parts: FileParts,
  request: FastifyRequest,
  reply: FastifyReply,
  caller: Caller,
): Promise<FastifyReply> {
  readQuery(request);
  const { uid } = caller;
  const { id } = request.params as { id: string };
  const attachment = await findAttachment(parts, id, caller);
  await refuseUnscanned(parts, attachment, uid);
  const isThumbnail = request.routeOptions.url?.includes("/:id/thumbnail") ?? false;
  const served = isThumbnail ? await thumbnailOf(parts, attachment) : await fileOf(parts, attachment, uid);
  return serve(parts, request, reply, served);
}

async function fileOf(parts: FileParts, attachment: AttachmentDoc, uid: string): Promise<Served> {
  const { sha256, changes } = await bytesFor(parts, attachment, uid);
  return { ...attachment, tag: `"${sha256}"`, changes };
}

async function thumbnailOf({ store }: FileParts, { sha256, name }: AttachmentDoc): Promise<Served> {
  const looked = (await store.contents.get(sha256))?.doc.looked;
  if (looked?.state === "pending") throw new AppError("pending");
  if (!looked?.thumbnail) throw new AppError("not_found", "this file has no thumbnail");
  const { type, blob } = looked.thumbnail;
  return { ...looked.thumbnail, name: `${name}.${type.slice("image/".length)}`, tag: `"${blob}"`, changes: [] };
}

async function serve(
  parts: FileParts,
  request: FastifyRequest,
  reply: FastifyReply,
  served: Served,
): Promise<FastifyReply> {
  const { size, blob, tag, changes } = served;
  const { range, "if-range": ifRange, "if-none-match": ifNoneMatch } = request.headers;
  const isKnown = namesTag(ifNoneMatch, tag);
  // A link is for one verb, and for the bytes as they are kept.
  const mayLink = parts.limits.linkSeconds > 0 && request.method === "GET" && changes.length === 0;
  if (mayLink && !isKnown) return sendOn(parts, reply, served);
  addHeaders(reply, served);
  if (isKnown) return reply.code(304).send();
  const holds = ifRange === undefined || ifRange === tag;
  const asked = readRange(holds ? range : undefined, size);
  if (asked.kind === "unsatisfiable") {
    // [RFC 9110 15.5.17]
    reply.code(416).header("content-range", `bytes */${size}`);
    throw new AppError("invalid_packet", `the file has ${size} bytes`, { details: { size } });
  }
  const part = asked.kind === "range" ? asked : undefined;
  if (part) reply.code(206).header("content-range", `bytes ${part.start}-${part.end}/${size}`);
  reply.header("content-length", part ? part.end - part.start + 1 : size);
  if (request.method === "HEAD") return reply.send();
  const kept = await parts.blobs.open(blob, part);
  if (!kept) throw missing(parts, blob);
  const bytes = changedStream(kept, part?.start ?? 0, changes);
  reply.raw.setTimeout(unreadMs, () => reply.raw.destroy());
  const stop = () => reply.raw.destroy();
  parts.closing.addEventListener("abort", stop);
  reply.raw.once("close", () => {
    parts.closing.removeEventListener("abort", stop);
    bytes.destroy();
  });
  return reply.send(bytes);
}

// The bucket answers what is asked of the bytes: ranges, and conditions by a tag of its own.
async function sendOn({ blobs, limits }: FileParts, reply: FastifyReply, served: Served): Promise<FastifyReply> {
  const options = {
    ...{ seconds: limits.linkSeconds, type: contentType(served), disposition: contentDisposition(served) },
    cacheControl: `private, max-age=${limits.linkSeconds}`,
  };
  const url = await blobs.link?.(served.blob, options);
  if (url === undefined) throw new AppError("internal");
  // Who follows later asks again: who may have it can change.
  return reply.headers({ "cache-control": "no-store", "referrer-policy": "no-referrer" }).redirect(url, 307);
}

function contentType({ type }: Served): string {
  return type.startsWith("text/") && type !== "text/plain" ? `${type}; charset=utf-8` : type;
}

function contentDisposition({ type, name }: Served): string {
  return disposition(mayBeShown(type) ? "inline" : "attachment", name);
}

function addHeaders(reply: FastifyReply, served: Served): void {
  reply.headers({
    "content-type": contentType(served),
    "content-disposition": contentDisposition(served),
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "accept-ranges": "bytes",
    // Who may have it can change; the bytes cannot.
    "cache-control": "private, no-cache",
    etag: served.tag,
  });
}

function missing({ log }: FileParts, blob: string): AppError {
  log.error({ event: "attachment_without_bytes", blob });
  return new AppError("internal");
}
