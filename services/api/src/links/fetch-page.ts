// Fetches the beginning of one page: each address it leads to is judged first, and then connected to as it was judged.
import type { LookupAddress } from "node:dns";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { LookupFunction } from "node:net";
import { MIMEType } from "node:util";
import type { Guard } from "@parley/runtime";
import { readPageAddress } from "./page-address.ts";

export interface Page {
  /** where redirects led to */
  url: URL;
  bytes: Buffer;
  /** as the server says */
  charset: string | null;
}

const redirectsMax = 3;
const pageBytes = 512 * 1024;
const fetchMs = 5_000;
const headerBytes = 16 * 1024;
const redirects = [301, 302, 303, 307, 308];
const types = ["text/html", "application/xhtml+xml"];
const headers = {
  "user-agent": "ParleyLinkPreview/1.0 (bot)",
  accept: types.join(","),
  "accept-encoding": "identity",
};

/** undefined: there is no page that may be read. Rejects where its server does not answer, or not in time. */
export async function fetchPage(guard: Guard, address: URL, timeoutMs = fetchMs): Promise<Page | undefined> {
  const signal = AbortSignal.timeout(timeoutMs);
  let url = address;
  for (let redirected = 0; redirected <= redirectsMax; redirected++) {
    const addresses = await guard.addressesOf(url, signal);
    if (typeof addresses === "string") return undefined;
    const response = await get(url, addresses, signal);
    const { statusCode = 0, headers: answered } = response;
    if (!redirects.includes(statusCode)) return readPage(url, response);
    response.destroy();
    const next = readPageAddress(answered.location ?? "", url);
    if (!next) return undefined;
    url = next;
  }
  return undefined;
}

function get(url: URL, addresses: LookupAddress[], signal: AbortSignal): Promise<IncomingMessage> {
  const request = url.protocol === "https:" ? requestHttps : requestHttp;
  const lookup: LookupFunction = (_host, { all }, found) => {
    const [{ address, family }] = addresses as [LookupAddress];
    if (all) found(null, addresses);
    else found(null, address, family);
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent: false, lookup, signal, headers, maxHeaderSize: headerBytes });
    asked.once("response", resolve).on("error", reject);
    // Of an upgrade that nobody asked for it tells nothing else.
    asked.once("close", () => reject(new Error("the connection was closed")));
    asked.end();
  });
}

async function readPage(url: URL, response: IncomingMessage): Promise<Page | undefined> {
  const { statusCode, headers: answered } = response;
  const type = readType(answered["content-type"]);
  const isPlain = (answered["content-encoding"] ?? "identity") === "identity";
  if (statusCode !== 200 || !isPlain || !type || !types.includes(type.essence)) {
    response.destroy();
    return undefined;
  }
  return { url, bytes: await readBeginning(response), charset: type.params.get("charset") };
}

function readType(text = ""): MIMEType | undefined {
  try {
    return new MIMEType(text);
  } catch {
    return undefined;
  }
}

// Leaving the loop ends the connection.
async function readBeginning(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  let last = "";
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.byteLength;
    const text = last + chunk.toString("latin1");
    if (size >= pageBytes || /<\/head/i.test(text)) break;
    last = text.slice(-"</hea".length);
  }
  return Buffer.concat(chunks).subarray(0, pageBytes);
}
