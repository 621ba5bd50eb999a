// A large file, uploaded in parts by tus: a lost connection costs the part under way, not the file.
import {
  AppError,
  type Attachment,
  attachmentOf,
  backoffMs,
  tus,
  uploadIdOf,
  uploadPaths,
  uploadUrl,
} from "@parley/protocol";
import { readAnswer } from "./http.ts";
import { pause } from "./pause.ts";

/** Bytes of a part, each of which is one request. */
export const partBytes = 8 * 1024 * 1024;
/** A part that takes longer is sent again (ms). */
const partTimeoutMs = 600_000;
const backoff = { baseMs: 500, maxMs: 15_000 };

export interface ResumableOptions {
  name?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((kept: number, size: number) => void) | undefined;
  /** how long to go on trying while nothing more is kept (ms) */
  patienceMs: number;
  /** Sends a request to a path of the server. Throws `unavailable` when there was no answer. */
  ask(path: string, init: RequestInit): Promise<Response>;
}

/** Throws the server's AppError; `unavailable` when patience is over; the signal's reason. */
export async function uploadInParts(bytes: Blob, options: ResumableOptions): Promise<Attachment> {
  const { size } = bytes;
  const patience = startPatience(options);
  const id = await patience.until(() => create(options, size));
  let kept = 0;
  // Of all that is kept the attachment is asked for.
  let isSure = size > 0;
  for (;;) {
    const moved = await patience.until(async () => {
      try {
        return isSure ? await append(options, id, bytes, kept) : await askKept(options, id);
      } catch (error) {
        isSure = false;
        throw error;
      }
    });
    if (typeof moved !== "number") {
      options.onProgress?.(size, size);
      return moved;
    }
    kept = moved;
    isSure = kept < size;
    options.onProgress?.(kept, size);
  }
}

async function create({ ask, name, signal }: ResumableOptions, size: number): Promise<string> {
  const headers: Record<string, string> = { "tus-resumable": tus.version, "upload-length": String(size) };
  if (name !== undefined) headers["upload-metadata"] = `filename ${base64(name.slice(0, 1_000))}`;
  const answer = await ask(uploadPaths[0] ?? "", { method: "POST", headers, ...(signal && { signal }) });
  if (!answer.ok) await readAnswer(answer);
  const id = uploadIdOf(answer.headers.get("location") ?? "");
  if (id === undefined) throw new AppError("internal", "the server did not say where the upload is");
  return id;
}

/** How many bytes are kept then. */
async function append({ ask, signal }: ResumableOptions, id: string, bytes: Blob, offset: number): Promise<number> {
  const headers = {
    "tus-resumable": tus.version,
    "upload-offset": String(offset),
    "content-type": tus.partType,
  };
  const body = bytes.slice(offset, offset + partBytes);
  const inTime = AbortSignal.timeout(partTimeoutMs);
  const answer = await ask(uploadUrl(id), {
    method: "PATCH",
    headers,
    body,
    signal: signal ? AbortSignal.any([signal, inTime]) : inTime,
  });
  if (!answer.ok) await readAnswer(answer);
  return Number(answer.headers.get("upload-offset"));
}

async function askKept({ ask, signal }: ResumableOptions, id: string): Promise<number | Attachment> {
  try {
    return await readAttachment(await ask(uploadUrl(id), signal ? { signal } : {}));
  } catch (error) {
    const { code, details } = AppError.from(error);
    if (code === "conflict" && typeof details?.offset === "number") return details.offset;
    throw error;
  }
}

async function readAttachment(answer: Response): Promise<Attachment> {
  const attachment = (await readAnswer(answer)) as Attachment;
  if (attachmentOf({ file: attachment.id }) === undefined) throw new AppError("internal", "that is no attachment");
  return attachment;
}

// Tries what may succeed when it is tried again, as long as something moved not too long ago.
function startPatience({ patienceMs, signal }: ResumableOptions) {
  let movedAt = Date.now();
  let failures = 0;
  const mayPass = new Set(["unavailable", "rate_limited", "conflict"]);
  return {
    async until<T>(work: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          const done = await work();
          [movedAt, failures] = [Date.now(), 0];
          return done;
        } catch (error) {
          signal?.throwIfAborted();
          const { code, details } = AppError.from(error);
          if (!mayPass.has(code) || Date.now() - movedAt > patienceMs) throw error;
          failures += 1;
          const atLeastMs = typeof details?.retryAfterMs === "number" ? details.retryAfterMs : 0;
          if (atLeastMs > patienceMs) throw error;
          await pause(Math.max(atLeastMs, backoffMs(failures, backoff)), signal);
        }
      }
    },
  };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
