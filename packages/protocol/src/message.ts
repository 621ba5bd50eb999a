// The one way a message's bytes are made: the sender's own bytes with the server's fields in front.
import type { JsonObject } from "./codec.ts";
import { parseExactly } from "./exact-json.ts";

/** The fields that only the server writes. */
export const serverFields = [
  "conv",
  "seq",
  "from",
  "device",
  "ts",
  "edited",
  "recalled",
  "reactions",
  "replies",
  "quoted",
  "poll",
  "forwarded",
  "via",
  "expiresAt",
] as const;

const ofServer: ReadonlySet<string> = new Set(serverFields);

export interface ServerFields {
  conv: string;
  seq: number;
  from: string;
  device: string;
  ts: number;
  /** unix ms: when it disappears, if that is known */
  expiresAt?: number | undefined;
}

const encoder = new TextEncoder();
const utf8 = new TextDecoder();
const openBrace = 0x7b;

/**
 * The sender's bytes as they may be stored: unchanged where they begin with `{` and carry an id and none of the
 * server's fields; otherwise built anew without those fields and with `id`, every number as it was written. So nobody can write another `from`
 * behind ours, and every stored body is a non-empty object.
 */
export function storableBody(raw: Uint8Array, parsed: JsonObject, id: string): Uint8Array {
  const clean = raw[0] === openBrace && parsed.id !== undefined && !serverFields.some((field) => field in parsed);
  if (clean) return raw;
  const exact = parseExactly(utf8.decode(raw)) as JsonObject;
  const own = Object.entries(exact).filter(([name]) => name !== "id" && !ofServer.has(name));
  return encoder.encode(JSON.stringify({ id, ...Object.fromEntries(own) }));
}

/** The delivered message: server's fields, then the stored body without its opening brace. UTF-8 JSON. */
export function renderMessage(
  fields: ServerFields,
  body: Uint8Array,
  allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array {
  const text = headOf(fields);
  return renderAscii(text, body, allocate) ?? joined(encoder.encode(text), body);
}

// Ids and names of conversations are ASCII, client ids nearly always: that is quicker written than encoded. The head's last
// character takes the place of the body's brace.
function renderAscii(head: string, body: Uint8Array, allocate: (bytes: number) => Uint8Array): Uint8Array | undefined {
  const rendered = allocate(head.length + body.byteLength - 1);
  rendered.set(body, head.length - 1);
  for (let at = 0; at < head.length; at++) {
    const code = head.charCodeAt(at);
    if (code > 127) return undefined;
    rendered[at] = code;
  }
  return rendered;
}

function joined(head: Uint8Array, body: Uint8Array): Uint8Array {
  const rendered = new Uint8Array(head.byteLength + body.byteLength - 1);
  rendered.set(body, head.byteLength - 1);
  rendered.set(head);
  return rendered;
}

/** The same as text. */
export function renderMessageText(fields: ServerFields, body: string): string {
  return headOf(fields) + body.slice(1);
}

function headOf({ conv, seq, from, device, ts, expiresAt }: ServerFields): string {
  const names = `"from":${JSON.stringify(from)},"device":${JSON.stringify(device)}`;
  const end = expiresAt === undefined ? "" : `"expiresAt":${expiresAt},`;
  return `{"conv":${JSON.stringify(conv)},"seq":${seq},${names},"ts":${ts},${end}`;
}
