// POST /attachments: the body is the file, or a form with one. Streamed to where blobs are kept, at the speed of that place.

import { AppError, type Attachment } from "@parley/protocol";
import { StoreError } from "@parley/store";
import type { FastifyRequest } from "fastify";
import { readQuery } from "../http/query.ts";
import type { Times } from "../in-time.ts";
import { keepAttachment } from "./attachments.ts";
import { checkedBytes, tooLarge, type UploadLimits } from "./checked-bytes.ts";
import { openForm, withoutEnd } from "./form.ts";
import { harmlessName } from "./names.ts";
import type { FileParts } from "./parts.ts";

/** The slowest upload; blobs that nobody uses are swept later than that. */
export const totalMs = 6 * 60 * 60_000;
const nameMax = 1_024;

interface Incoming {
  name: string;
  bytes: AsyncIterable<Uint8Array>;
  /** reads what stands behind the file */
  end(): Promise<void>;
}

/** Throws AppErrors, and what ended the stream. */
export async function upload(parts: FileParts, request: FastifyRequest, uid: string): Promise<Attachment> {
  const { limits, blobs, closing } = parts;
  const length = Number(request.headers["content-length"] ?? 0);
  const endsAt = performance.now() + totalMs;
  const times = () => ({ silenceMs: limits.silenceMs, totalMs: Math.max(0, endsAt - performance.now()), closing });
  const incoming = await readIncoming(request, length, { bytesMax: limits.bytesMax, times });
  const refused = limits.wouldTake(uid, length);
  if (refused) throw refused;
  const checks: UploadLimits = {
    ...times(),
    ofKind: limits.ofKind,
    take: (bytes) => limits.take(uid, bytes),
  };
  const { bytes, type } = checkedBytes(incoming.bytes, checks);
  const stored = await blobs.put(bytes).catch(toldFull);
  try {
    await incoming.end();
  } catch (error) {
    await blobs.remove(stored.id).catch(() => undefined);
    throw error;
  }
  parts.pass("before-attachment");
  // Where this fails, its outcome may be unknown, and the blob in use: the sweep removes it if it is not.
  return keepAttachment(parts, { uid, name: incoming.name, type: type(), stored });
}

/** For people: what a full disk is to them. */
export function toldFull(error: unknown): never {
  const isFull = error instanceof StoreError && error.code === "full";
  throw isFull ? new AppError("unavailable", "there is no space left for files", { cause: error }) : error;
}

async function readIncoming(
  request: FastifyRequest,
  length: number,
  { bytesMax, times }: { bytesMax: number; times: () => Times },
): Promise<Incoming> {
  const { name: asked } = readQuery(request, "name");
  if (Array.isArray(asked)) throw new AppError("invalid_packet", "name is given twice");
  if (asked !== undefined && asked.length > nameMax)
    throw new AppError("invalid_packet", `name has more than ${nameMax} characters`);
  if (request.isMultipart()) {
    const form = await openForm(request, times);
    return { ...form, name: harmlessName(asked ?? form.name.slice(0, nameMax)) };
  }
  if (length > bytesMax) throw tooLarge("any", bytesMax);
  return { name: harmlessName(asked ?? ""), bytes: withoutEnd(request.raw), end: async () => undefined };
}
