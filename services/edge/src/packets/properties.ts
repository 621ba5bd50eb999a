// Walks the properties of a device's packet without building them: may they stand there, and is each what it must be?
import { isUtf8 } from "node:buffer";
import { type Reason, reasons } from "./reasons.ts";
import { unwanted } from "./topic.ts";

/** Where properties stand in what a client sends. */
export type Place = "connect" | "will" | "publish" | "subscribe" | "unsubscribe" | "acknowledge" | "disconnect";

interface Rule {
  size: 1 | 2 | 4 | "string" | "binary" | "pair" | "varint";
  places: readonly Place[];
  min?: number;
  max?: number;
}

const message: Place[] = ["publish", "will"];
const everywhere: Place[] = ["connect", "will", "publish", "subscribe", "unsubscribe", "acknowledge", "disconnect"];
const nowhere: Place[] = [];

/** By the property's id [MQTT5 2.2.2.2]. What only servers say may stand nowhere. */
const rules = new Map<number, Rule>([
  [0x01, { size: 1, places: message, max: 1 }],
  [0x02, { size: 4, places: message }],
  [0x03, { size: "string", places: message }],
  [0x08, { size: "string", places: message }],
  [0x09, { size: "binary", places: message }],
  [0x0b, { size: "varint", places: ["subscribe"], min: 1 }],
  [0x11, { size: 4, places: ["connect", "disconnect"] }],
  [0x12, { size: "string", places: nowhere }],
  [0x13, { size: 2, places: nowhere }],
  [0x15, { size: "string", places: ["connect"] }],
  [0x16, { size: "binary", places: ["connect"] }],
  [0x17, { size: 1, places: ["connect"], max: 1 }],
  [0x18, { size: 4, places: ["will"] }],
  [0x19, { size: 1, places: ["connect"], max: 1 }],
  [0x1a, { size: "string", places: nowhere }],
  [0x1c, { size: "string", places: nowhere }],
  [0x1f, { size: "string", places: ["acknowledge", "disconnect"] }],
  [0x21, { size: 2, places: ["connect"], min: 1 }],
  [0x22, { size: 2, places: ["connect"] }],
  [0x23, { size: 2, places: ["publish"] }],
  [0x24, { size: 1, places: nowhere }],
  [0x25, { size: 1, places: nowhere }],
  [0x26, { size: "pair", places: everywhere }],
  [0x27, { size: 4, places: ["connect"], min: 1 }],
  [0x28, { size: 1, places: nowhere }],
  [0x29, { size: 1, places: nowhere }],
  [0x2a, { size: 1, places: nowhere }],
]);
const responseTopic = 0x08;
const topicAlias = 0x23;
const userProperty = 0x26;

export interface Properties {
  /** behind the last one */
  next: number;
  /** where the Topic Alias stands (its id and two bytes), if there is one */
  aliasAt: number | undefined;
}

/** The properties that begin with their length at `at`, or what is wrong with them. `end` is the end of the packet. */
export function checkProperties(bytes: Buffer, at: number, end: number, place: Place): Properties | Reason {
  const length = readVarint(bytes, at, end);
  if (length === undefined || length.next + length.value > end) return reasons.malformed;
  const last = length.next + length.value;
  const seen = new Set<number>();
  let aliasAt: number | undefined;
  for (let next = length.next; next < last; ) {
    const id = bytes[next]!;
    const rule = rules.get(id);
    if (rule === undefined) return reasons.malformed;
    if (!rule.places.includes(place) || (id !== userProperty && seen.has(id))) return reasons.protocolError;
    seen.add(id);
    if (id === topicAlias) aliasAt = next;
    const after = checkValue(bytes, next + 1, last, rule);
    if (typeof after !== "number") return after;
    if (id === responseTopic && hasWildcard(bytes, next + 3, after)) return reasons.protocolError;
    next = after;
  }
  return { next: last, aliasAt };
}

/** The properties that begin at `at` and end at `end`, in parts without the Topic Alias that stands at `aliasAt`. */
export function withoutAlias(bytes: Buffer, at: number, aliasAt: number | undefined, end: number): Buffer[] {
  const length = aliasAt === undefined ? undefined : readVarint(bytes, at, end);
  if (aliasAt === undefined || length === undefined) return [bytes.subarray(at, end)];
  const aliasBytes = 3;
  const rest = bytes.subarray(aliasAt + aliasBytes, end);
  return [writeVarint(length.value - aliasBytes), bytes.subarray(length.next, aliasAt), rest];
}

/** Where the value that begins at `at` ends, or what is wrong with it. */
function checkValue(bytes: Buffer, at: number, end: number, { size, min = 0, max }: Rule): number | Reason {
  if (typeof size === "string" && size !== "varint") {
    const after = size === "binary" ? skipBinary(bytes, at, end) : skipPlain(bytes, at, end);
    const second = after !== undefined && size === "pair" ? skipPlain(bytes, after, end) : after;
    return second ?? reasons.malformed;
  }
  const number = size === "varint" ? readVarint(bytes, at, end) : readNumber(bytes, at, end, size);
  if (number === undefined) return reasons.malformed;
  return number.value < min || number.value > (max ?? number.value) ? reasons.protocolError : number.next;
}

function readNumber(bytes: Buffer, at: number, end: number, size: number): { value: number; next: number } | undefined {
  return at + size > end ? undefined : { value: bytes.readUIntBE(at, size), next: at + size };
}

/** Behind the bytes that begin with their length at `at`; undefined when they are cut off. */
export function skipBinary(bytes: Buffer, at: number, end: number): number | undefined {
  const after = at + 2 > end ? end + 1 : at + 2 + bytes.readUInt16BE(at);
  return after > end ? undefined : after;
}

/** Behind the string that begins with its length at `at`; undefined when it is cut off, no UTF-8 or has U+0000 [MQTT-1.5.4]. */
export function skipString(bytes: Buffer, at: number, end: number): number | undefined {
  const after = skipBinary(bytes, at, end);
  return after !== undefined && isText(bytes.subarray(at + 2, after)) ? after : undefined;
}

/** As `skipString`, of what the broker will read. */
function skipPlain(bytes: Buffer, at: number, end: number): number | undefined {
  const after = skipBinary(bytes, at, end);
  return after !== undefined && isPlainText(bytes.subarray(at + 2, after)) ? after : undefined;
}

/** UTF-8 without U+0000; a surrogate spelled in three bytes is none. */
export function isText(bytes: Buffer): boolean {
  return isShortAscii(bytes) || (isUtf8(bytes) && !bytes.includes(0));
}

/** Text without what a server need not take [MQTT-1.5.4]: Mosquitto closes for control characters and non-characters. */
export function isPlainText(bytes: Buffer): boolean {
  return isShortAscii(bytes, 0x20) || (isUtf8(bytes) && !unwanted.test(bytes.toString()));
}

/** Most texts are: to look at so few bytes costs less than a call out of JavaScript. */
function isShortAscii(bytes: Buffer, from = 1): boolean {
  if (bytes.length > 64) return false;
  for (const byte of bytes) if (byte < from || byte >= 0x7f) return false;
  return true;
}

function hasWildcard(bytes: Buffer, at: number, end: number): boolean {
  const text = bytes.subarray(at, end);
  return text.includes("+") || text.includes("#");
}

export function readVarint(bytes: Buffer, at: number, end: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let digit = 0; digit < 4; digit++) {
    if (at + digit >= end) return undefined;
    const byte = bytes[at + digit]!;
    value += (byte & 0x7f) * 128 ** digit;
    if (byte < 0x80) return { value, next: at + digit + 1 };
  }
  return undefined;
}

export function writeVarint(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(varintBytes(value));
  putVarint(bytes, 0, value);
  return bytes;
}

export function varintBytes(value: number): number {
  return value < 128 ? 1 : value < 128 ** 2 ? 2 : value < 128 ** 3 ? 3 : 4;
}

/** Writes the number at `at`; answers what is behind it. */
export function putVarint(bytes: Buffer, at: number, value: number): number {
  let next = at;
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) {
      bytes[next++] = rest;
      return next;
    }
    bytes[next++] = (rest & 0x7f) | 0x80;
  }
}
