// The body of a PATCH: stored piece by piece as it arrives, so that whatever ends it loses one piece at most.
import { createHash } from "node:crypto";
import { AppError } from "@parley/protocol";
import { inTime } from "../../in-time.ts";
import type { UploadDoc } from "../../store.ts";
import { headFirst, tooLarge } from "../checked-bytes.ts";
import type { FileParts } from "../parts.ts";
import { headBytes, sniff } from "../sniff.ts";
import { toldFull, totalMs } from "../upload.ts";
import type { Checksum } from "./headers.ts";
import { cutIntoPieces } from "./pieces.ts";
import { addPieces, offsetOf, removeAll, type Upload } from "./uploads.ts";

/** What a death of this process loses at most; larger files have larger ones. */
const pieceBytesMin = 8 * 1024 * 1024;
const piecesOfWhole = 1_000;
/** Each request ends a piece. */
const piecesMax = 2_000;

export interface Part {
  bytes: AsyncIterable<Uint8Array>;
  checksum: Checksum | undefined;
}

/** A checksum that is not that of the body. */
export class ChecksumMismatch extends AppError {}

/**
 * The upload with what arrived, however it ended: then throws what ended it. With a checksum all of the body is taken, or
 * nothing. Throws AppErrors.
 */
export async function takePart(parts: FileParts, upload: Upload, part: Part): Promise<Upload> {
  const { blobs, limits, closing } = parts;
  const { silenceMs } = limits;
  const arriving = inTime(part.bytes, { silenceMs, totalMs, closing });
  const isFirst = offsetOf(upload.doc) === 0;
  const pieceBytes = Math.max(pieceBytesMin, Math.ceil(upload.doc.size / piecesOfWhole));
  const pieces = cutIntoPieces(isFirst ? headFirst(arriving) : arriving, pieceBytes, checksOf(parts, upload.doc));
  const digest = part.checksum && createHash(part.checksum.algorithm);
  const held: UploadDoc["pieces"][number][] = [];
  let taken = upload;
  try {
    for (let piece = await pieces.next(); piece; piece = await pieces.next()) {
      if (taken.doc.pieces.length + held.length >= piecesMax)
        throw new AppError("conflict", `an upload comes in at most ${piecesMax} pieces; begin again with larger ones`);
      const { id, size } = await blobs.put(digest ? hashing(digest, piece) : piece).catch(toldFull);
      held.push({ blob: id, size });
      if (!digest) taken = await addPieces(parts, taken, held.splice(0));
    }
    if (pieces.failure() !== undefined) throw pieces.failure();
    if (digest && digest.digest("base64") !== part.checksum?.digest)
      throw new ChecksumMismatch("invalid_packet", "the body is not what its checksum says; send it again");
    return held.length > 0 ? await addPieces(parts, taken, held.splice(0)) : taken;
  } finally {
    await pieces.close();
    await removeAll(blobs, held).catch(() => undefined);
  }
}

async function* hashing(hash: ReturnType<typeof createHash>, bytes: AsyncIterable<Uint8Array>) {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

// What would be refused when it is whole is refused as soon as it can be known.
function checksOf({ limits }: FileParts, { uid, size, pieces }: UploadDoc): (chunk: Uint8Array) => Promise<void> {
  let offset = pieces.reduce((sum, piece) => sum + piece.size, 0);
  return async (chunk) => {
    const isHead = offset === 0 && (chunk.byteLength >= headBytes || chunk.byteLength === size);
    offset += chunk.byteLength;
    if (offset > size)
      throw new AppError("too_large", `the upload was said to have ${size} bytes`, { details: { maxBytes: size } });
    const refused = limits.take(uid, chunk.byteLength);
    if (refused) throw refused;
    if (!isHead) return;
    const type = await sniff(chunk.subarray(0, headBytes));
    const most = limits.ofKind(type);
    if (most instanceof AppError) throw most;
    if (size > most) throw tooLarge(type, most);
  };
}
