// GET /attachments/{id}: the bytes, whole or a range, for who may have them; nothing in them runs.
import { AppError, type AttachmentRequest, isAttachmentId } from "@parley/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { AttachmentDoc } from "../store.ts";
import { disposition } from "./names.ts";
import type { FileParts } from "./parts.ts";
import { namesTag, readRange } from "./range.ts";
import { mayBeShown } from "./sniff.ts";

/** A device that reads nothing for so long is let go (ms). */
const unreadMs = 60_000;

/** Throws AppErrors; the same for what does not exist and for what is not the caller's to see. */
export async function download(
  parts: FileParts,
  request: FastifyRequest,
  reply: FastifyReply,
  uid: string,
): Promise<FastifyReply> {
  const unknown = Object.keys(request.query as object)[0];
  if (unknown !== undefined) throw new AppError("invalid_packet", `unknown field ${unknown.slice(0, 80)} in the query`);
  const { id } = request.params as { id: string };
  const attachment = await find(parts, id, uid);
  const { size, sha256, blob } = attachment;
  const tag = `"${sha256}"`;
  addHeaders(reply, attachment, tag);
  const { range, "if-range": ifRange, "if-none-match": ifNoneMatch } = request.headers;
  if (namesTag(ifNoneMatch, tag)) return reply.code(304).send();
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
  const bytes = await parts.blobs.open(blob, part);
  if (!bytes) throw missing(parts, id);
  reply.raw.setTimeout(unreadMs, () => reply.raw.destroy());
  const stop = () => reply.raw.destroy();
  parts.closing.addEventListener("abort", stop);
  reply.raw.once("close", () => {
    parts.closing.removeEventListener("abort", stop);
    bytes.destroy();
  });
  return reply.send(bytes);
}

async function find({ store, history }: FileParts, id: string, uid: string): Promise<AttachmentDoc> {
  const attachment = isAttachmentId(id) ? (await store.attachments.get(id))?.doc : undefined;
  const isOwn = attachment?.uid === uid;
  if (attachment && (isOwn || (await history.mayFetch(requestOf(id, attachment, uid))))) return attachment;
  throw new AppError("not_found", "there is no such attachment for you");
}

function addHeaders(reply: FastifyReply, { type, name }: AttachmentDoc, tag: string): void {
  reply.headers({
    "content-type": type.startsWith("text/") && type !== "text/plain" ? `${type}; charset=utf-8` : type,
    "content-disposition": disposition(mayBeShown(type) ? "inline" : "attachment", name),
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
    "accept-ranges": "bytes",
    // Who may have it can change; the bytes cannot.
    "cache-control": "private, no-cache",
    etag: tag,
  });
}

function missing({ log }: FileParts, id: string): AppError {
  log.error({ event: "attachment_without_bytes", id });
  return new AppError("internal");
}

function requestOf(file: string, { uid: owner, heirs }: AttachmentDoc, uid: string): AttachmentRequest {
  return { file, owner, uid, ...(heirs === undefined ? {} : { heirs }) };
}
