// One file sent or fetched over HTTP: bytes made as they go, and counted as they come.
import { randomBytes } from "node:crypto";
import { type IncomingMessage, type RequestOptions, request } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

const chunkBytes = 64 * 1024;
const chunks = 64;

export interface Transferred {
  /** 10⁶ bytes a second */
  megabytes: number;
  body: Buffer;
}

/** No two files are the same, so that none is found to be stored already. Throws on any answer but 2xx. */
export async function send(url: string, bytes: number, token?: string): Promise<Transferred> {
  const made = Array.from({ length: chunks }, () => randomBytes(chunkBytes));
  function* body(): Generator<Uint8Array> {
    for (let sent = 0, at = 0; sent < bytes; sent += chunkBytes, at += 1) {
      const chunk = made[at % chunks]!;
      yield bytes - sent < chunkBytes ? chunk.subarray(0, bytes - sent) : chunk;
    }
  }
  const headers = { "content-length": bytes, "content-type": "application/octet-stream" };
  return exchange(url, { method: "POST", headers }, token, Readable.from(body(), { objectMode: false }));
}

/** Throws on any answer but 2xx, and for another number of bytes. */
export async function fetchFile(url: string, bytes: number, token?: string): Promise<Transferred> {
  return exchange(url, { method: "GET" }, token, Readable.from([]), bytes);
}

export async function removeFile(url: string): Promise<void> {
  await exchange(url, { method: "DELETE" }, undefined, Readable.from([]));
}

async function exchange(
  url: string,
  { headers, ...options }: RequestOptions,
  token: string | undefined,
  body: Readable,
  expected?: number,
): Promise<Transferred> {
  const begun = performance.now();
  const auth = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const asking = request(url, { ...options, agent: false, headers: { ...headers, ...auth } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    asking.once("response", resolve).once("error", reject);
  });
  const sending = pipeline(body, asking);
  // What the server answers says more than that it hung up.
  sending.catch(() => undefined);
  const response = await answered;
  let received = 0;
  const kept: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) {
    received += chunk.byteLength;
    if (expected === undefined) kept.push(chunk);
  }
  const status = response.statusCode ?? 0;
  if (status >= 300) throw new Error(`${options.method} answered ${status}: ${Buffer.concat(kept)}`);
  await sending;
  if (expected !== undefined && received !== expected) throw new Error(`${received} of ${expected} bytes came`);
  const seconds = (performance.now() - begun) / 1_000;
  return { megabytes: Number(expected ?? headersLength(headers)) / 1e6 / seconds, body: Buffer.concat(kept) };
}

function headersLength(headers: RequestOptions["headers"]): number {
  return Number((headers as Record<string, unknown> | undefined)?.["content-length"] ?? 0);
}
