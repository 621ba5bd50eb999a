// Files over HTTP: uploaded before the message that refers to them, downloaded by the id that it carries.
import { AppError, type Attachment, attachmentOf, attachmentPaths, attachmentUrl } from "@parley/protocol";
import { parseBase, readAnswer } from "./http.ts";

export type FileBytes = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

export interface UploadOptions {
  /** the file's name as others see it; a `File` has its own */
  name?: string;
  signal?: AbortSignal;
}

export interface DownloadOptions {
  /** positions of bytes, from 0, both ends included */
  range?: { start: number; end?: number };
  signal?: AbortSignal;
}

/** Throws an AppError: the server's own, or `unavailable` when there was no answer. A stream is sent as it is read. */
export async function uploadFile(
  base: string,
  token: string,
  bytes: FileBytes,
  { name, signal }: UploadOptions = {},
): Promise<Attachment> {
  const url = at(base, attachmentPaths[0]);
  const named = name ?? (bytes as { name?: unknown }).name;
  if (typeof named === "string") url.searchParams.set("name", named.slice(0, 1_024));
  // Without a type of its own a browser would send the file's; the server goes by the bytes.
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" };
  const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body: bytes, duplex: "half" };
  const answer = await send(url, signal ? { ...init, signal } : init);
  return (await readAnswer(answer)) as Attachment;
}

/** `file`: the id of an attachment, or its path. The answer's body is the bytes. Throws as `uploadFile` does. */
export async function downloadFile(
  base: string,
  token: string,
  file: string,
  { range, signal }: DownloadOptions = {},
): Promise<Response> {
  const id = attachmentOf({ file }) ?? attachmentOf({ url: file });
  if (id === undefined) throw new AppError("invalid_packet", "that is neither the id nor the path of an attachment");
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (range) headers.range = `bytes=${range.start}-${range.end ?? ""}`;
  const answer = await send(at(base, attachmentUrl(id)), { headers, ...(signal ? { signal } : {}) });
  if (!answer.ok) await readAnswer(answer);
  return answer;
}

function at(base: string, path: string): URL {
  const url = parseBase(base);
  url.pathname = url.pathname.replace(/\/$/, "") + path;
  return url;
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    // The caller's own doing is told as it is.
    if (init.signal?.aborted) throw cause;
    throw new AppError("unavailable", `${url.origin} does not answer`, { cause });
  }
}
