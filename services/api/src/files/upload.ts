// POST /attachments: the body is the file, or a form with one. Streamed to where blobs are kept, at the speed of that place.
import type { Readable } from "node:stream";
import { AppError, type Attachment } from "@parley/protocol";
import { StoreError } from "@parley/store";
import type { FastifyRequest } from "fastify";
import { keepAttachment } from "./attachments.ts";
import { checkedBytes, tooLarge, type UploadLimits } from "./checked-bytes.ts";
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
  const { limits, blobs, store, closing } = parts;
  const length = Number(request.headers["content-length"] ?? 0);
  const incoming = await readIncoming(request, length, limits.bytesMax);
  const refused = limits.wouldTake(uid, length);
  if (refused) throw refused;
  const checks: UploadLimits = {
    silenceMs: limits.silenceMs,
    totalMs,
    closing,
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
  // Where this fails, its outcome may be unknown, and the blob in use: the sweep removes it if it is not.
  return keepAttachment(store, blobs, { uid, name: incoming.name, type: type(), stored });
}

/** For people: what a full disk is to them. */
export function toldFull(error: unknown): never {
  const isFull = error instanceof StoreError && error.code === "full";
  throw isFull ? new AppError("unavailable", "there is no space left for files", { cause: error }) : error;
}

async function readIncoming(request: FastifyRequest, length: number, bytesMax: number): Promise<Incoming> {
  const { name: asked, ...others } = request.query as Record<string, string | string[]>;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new AppError("invalid_packet", `unknown field ${unknown.slice(0, 80)} in the query`);
  if (Array.isArray(asked)) throw new AppError("invalid_packet", "name is given twice");
  if (asked !== undefined && asked.length > nameMax)
    throw new AppError("invalid_packet", `name has more than ${nameMax} characters`);
  if (request.isMultipart()) return readForm(request, asked);
  if (length > bytesMax) throw tooLarge("any", bytesMax);
  return { name: harmlessName(asked ?? ""), bytes: withoutEnd(request.raw), end: async () => undefined };
}

// The first file of a form; other files are a mistake, fields are passed over.
async function readForm(request: FastifyRequest, asked: string | undefined): Promise<Incoming> {
  const parts = request.files();
  const first = await parts.next();
  if (first.done) throw new AppError("invalid_packet", "the form has no file");
  const { file, filename } = first.value;
  return {
    name: harmlessName(asked ?? String(filename ?? "").slice(0, nameMax)),
    bytes: toldTorn(request, file),
    async end() {
      const next = await parts.next();
      if (!next.done) throw new AppError("invalid_packet", "the form has more than one file");
    },
  };
}

// The whole body arrived, and the form does not end where it should.
async function* toldTorn({ raw }: FastifyRequest, file: Readable): AsyncGenerator<Uint8Array> {
  try {
    yield* withoutEnd(file);
  } catch (cause) {
    throw raw.complete ? new AppError("invalid_packet", "the form is torn", { cause }) : cause;
  }
}

// Whoever stops reading leaves the stream open: its sender is to be answered.
function withoutEnd(stream: Readable): AsyncIterable<Uint8Array> {
  return stream.iterator({ destroyOnReturn: false });
}
