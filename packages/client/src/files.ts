// Files over HTTP: uploaded before the message that refers to them, downloaded by the id that it carries.
import {
  AppError,
  type Attachment,
  attachmentOf,
  attachmentPaths,
  attachmentUrl,
  thumbnailUrl,
} from "@parley/protocol";
import { parseBase, readAnswer } from "./http.ts";
import { partBytes, uploadInParts } from "./resumable-upload.ts";

export type FileBytes = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface UploadOptions {
  /** the file's name as others see it; a `File` has its own */
  name?: string;
  signal?: AbortSignal;
  /** Called with how many bytes the server keeps, at the end at the latest; of a stream it is not known. */
  onProgress?(kept: number, size: number): void;
  /** how long to go on after lost connections while nothing more arrives; default 300,000 (ms). Small files and streams: not at all */
  patienceMs?: number;
}

/** A token, or what gives one that is good now: a large file may take longer than a token lives. */
export type TokenSource = string | (() => Promise<string>);

export interface DownloadOptions {
  /** positions of bytes, from 0, both ends included */
  range?: { start: number; end?: number };
  /** the picture of it that the server made, at most 320 pixels wide and high; `pending` until it is made */
  thumbnail?: boolean;
  /** Only what the server itself says of the file: its size, and the SHA-256 as ETag; without its bytes. */
  headersOnly?: boolean;
  signal?: AbortSignal;
}

/**
 * Throws an AppError: the server's own, or `unavailable` when there was no answer. More than 8 MiB go in parts, and on after a
 * lost connection. A stream is sent once, as it is read.
 */
export async function uploadFile(
  base: string,
  token: TokenSource,
  bytes: FileBytes,
  options: UploadOptions = {},
): Promise<Attachment> {
  const given = options.name ?? (bytes as { name?: unknown }).name;
  const name = typeof given === "string" ? given : undefined;
  const whole = bytes instanceof Uint8Array ? new Blob([bytes]) : bytes;
  if (!(whole instanceof Blob) || whole.size <= partBytes)
    return uploadAtOnce(base, token, whole, { ...options, name });
  const { signal, onProgress, patienceMs = 300_000 } = options;
  const ask = (path: string, init: RequestInit) => sendAs(token, at(base, path), init);
  return uploadInParts(whole, { name, signal, onProgress, patienceMs, ask });
}

async function uploadAtOnce(
  base: string,
  token: TokenSource,
  bytes: Blob | ReadableStream<Uint8Array>,
  { name, signal, onProgress }: Omit<UploadOptions, "name"> & { name: string | undefined },
): Promise<Attachment> {
  const url = at(base, attachmentPaths[0]);
  if (name !== undefined) url.searchParams.set("name", name.slice(0, 1_024));
  // Without a type of its own a browser would send the file's; the server goes by the bytes.
  const headers = { "content-type": "application/octet-stream" };
  const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body: bytes, duplex: "half" };
  const answer = await sendAs(token, url, signal ? { ...init, signal } : init);
  const attachment = (await readAnswer(answer)) as Attachment;
  onProgress?.(attachment.size, attachment.size);
  return attachment;
}

async function sendAs(token: TokenSource, url: URL, init: RequestInit): Promise<Response> {
  const bearer = typeof token === "string" ? token : await token();
  return send(url, { ...init, headers: { ...(init.headers as object), authorization: `Bearer ${bearer}` } });
}

/** `file`: the id of an attachment, or its path. The answer's body is the bytes. Throws as `uploadFile` does. */
export async function downloadFile(
  base: string,
  token: string,
  file: string,
  { range, thumbnail, headersOnly = false, signal }: DownloadOptions = {},
): Promise<Response> {
  const id = attachmentOf({ file }) ?? attachmentOf({ url: file });
  if (id === undefined) throw new AppError("invalid_packet", "that is neither the id nor the path of an attachment");
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (range) headers.range = `bytes=${range.start}-${range.end ?? ""}`;
  const answer = await send(at(base, thumbnail ? thumbnailUrl(id) : attachmentUrl(id)), {
    method: headersOnly ? "HEAD" : "GET",
    headers,
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok) await readAnswer(answer);
  return answer;
}

/** A path of the server, which may itself be served below one. */
export function at(base: string, path: string): URL {
  const url = parseBase(base);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  return url;
}

/** Throws `unavailable` when there is no answer; the caller's own abort as it is. */
export async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    // The caller's own doing is told as it is.
    if (init.signal?.aborted && (init.signal.reason as Error | undefined)?.name !== "TimeoutError") throw cause;
    throw new AppError("unavailable", `${url.origin} does not answer`, { cause });
  }
}
