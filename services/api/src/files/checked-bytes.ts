// The bytes of an upload as they may be stored: their kind and size decided while they pass, their sender not waited for for ever.
import { AppError } from "@parley/protocol";
import { inTime, type Times } from "../in-time.ts";
import { headBytes, sniff } from "./sniff.ts";

export interface UploadLimits extends Times {
  /** how many bytes a file of this kind may have, or why none is taken */
  ofKind(type: string): number | AppError;
  /** Asked for every few bytes: a refusal ends the upload. */
  take(bytes: number): AppError | undefined;
}

export interface CheckedBytes {
  bytes: AsyncIterable<Uint8Array>;
  /** what it is by its bytes; once they have passed */
  type(): string;
}

/** Throws AppErrors into whoever reads: `too_large`, `forbidden`, `unavailable`, or what the limits say. */
export function checkedBytes(source: AsyncIterable<Uint8Array>, limits: UploadLimits): CheckedBytes {
  let type = "application/octet-stream";
  async function* pass(): AsyncGenerator<Uint8Array> {
    let size = 0;
    let most: number | undefined;
    for await (const chunk of headFirst(inTime(source, limits))) {
      size += chunk.byteLength;
      const refused = limits.take(chunk.byteLength);
      if (refused) throw refused;
      if (most === undefined) [type, most] = await decide(chunk, limits);
      if (size > most) throw tooLarge(type, most);
      yield chunk;
    }
    if (most === undefined) [type] = await decide(new Uint8Array(0), limits);
  }
  return { bytes: pass(), type: () => type };
}

// The first chunk is long enough to tell the kind, or it is the whole file.
export async function* headFirst(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const head: Uint8Array[] = [];
  let waiting = 0;
  for await (const chunk of source) {
    if (waiting >= headBytes) {
      yield chunk;
      continue;
    }
    head.push(chunk);
    waiting += chunk.byteLength;
    if (waiting >= headBytes) yield Buffer.concat(head.splice(0));
  }
  if (waiting > 0 && waiting < headBytes) yield Buffer.concat(head);
}

async function decide(begin: Uint8Array, { ofKind }: UploadLimits): Promise<[type: string, most: number]> {
  const type = await sniff(begin.subarray(0, headBytes));
  const most = ofKind(type);
  if (most instanceof AppError) throw most;
  return [type, most];
}

/** The refusal of a file that is larger than its kind may be. */
export function tooLarge(type: string, maxBytes: number): AppError {
  return new AppError("too_large", `a file of type ${type} may have ${maxBytes} bytes`, {
    details: { maxBytes, type },
  });
}
