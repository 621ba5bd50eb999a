// May a device's packet be spelled like this? The parser that reads it afterwards is lenient; a broker that is not would
// close the edge's connection, and the device would not learn why.
import type { Framing } from "./framing.ts";
import { types, type Version } from "./packets.ts";
import { checkProperties, isText, type Place, skipBinary, skipString } from "./properties.ts";
import { type Reason, reasons } from "./reasons.ts";

/** Where the next part begins, or what is wrong. */
type Step = number | Reason;

/** A CONNECT whose variable header begins at `body` and whose protocol is supported [MQTT-3.1]. */
export function checkConnect(packet: Buffer, body: number, version: Version): Reason | undefined {
  const end = packet.length;
  // Protocol name and level.
  const flagsAt = body + 7;
  if (flagsAt + 3 > end) return reasons.malformed;
  const flags = packet[flagsAt]!;
  const hasWill = (flags & 4) !== 0;
  const hasPassword = (flags & 0x40) !== 0;
  const hasUsername = (flags & 0x80) !== 0;
  if (flags & 1 || (flags & 0x18) === 0x18 || (!hasWill && flags & 0x38)) return reasons.malformed;
  if (version === 4 && hasPassword && !hasUsername) return reasons.malformed;
  const properties = (place: Place) => (at: number) => (version === 5 ? skipProperties(packet, at, place) : at);
  const text = (at: number): Step => skipString(packet, at, end) ?? reasons.malformed;
  const bytes = (at: number): Step => skipBinary(packet, at, end) ?? reasons.malformed;
  const will = hasWill ? [properties("will"), text, bytes] : [];
  const login = [...(hasUsername ? [text] : []), ...(hasPassword ? [bytes] : [])];
  const last = walk(flagsAt + 3, [properties("connect"), text, ...will, ...login]);
  if (typeof last !== "number") return last;
  return last === end ? undefined : reasons.malformed;
}

function walk(from: number, parts: ((at: number) => Step)[]): Step {
  let at: Step = from;
  for (const part of parts) {
    at = part(at);
    if (typeof at !== "number") return at;
  }
  return at;
}

export interface Filters {
  packetId: number;
  count: number;
  /** where the first one begins, with its length */
  first: number;
}

/**
 * SUBSCRIBE [MQTT-3.8] or UNSUBSCRIBE [MQTT-3.10] with the right flags: how many filters it names, or what is wrong. Says
 * nothing about what is in them: there may be more than can be looked at in one turn.
 */
export function readFilters({ bytes, start, body, end }: Framing, version: Version): Filters | Reason {
  const isSubscribe = bytes[start]! >> 4 === types.subscribe;
  if (body + 2 > end) return reasons.malformed;
  const packetId = bytes.readUInt16BE(body);
  if (packetId === 0) return reasons.protocolError;
  const found = version === 4 ? { next: body + 2 } : checkFilterProperties(bytes, body + 2, end, isSubscribe);
  if ("code" in found) return found;
  // A packet that asks for nothing.
  if (found.next === end) return reasons.protocolError;
  let count = 0;
  for (let at = found.next; at < end; count++) {
    const after = skipBinary(bytes, at, end);
    if (after === undefined || (isSubscribe && after === end)) return reasons.malformed;
    if (isSubscribe && !mayBeOptions(bytes[after]!, version)) return reasons.malformed;
    at = after + (isSubscribe ? 1 : 0);
  }
  return { packetId, count, first: found.next };
}

/** Are all filters of such a packet text? They go from `first` to `end`. */
export function areFiltersText(bytes: Buffer, first: number, end: number, isSubscribe: boolean): boolean {
  for (let at = first; at < end; ) {
    const after = at + 2 + bytes.readUInt16BE(at);
    if (!isText(bytes.subarray(at + 2, after))) return false;
    at = after + (isSubscribe ? 1 : 0);
  }
  return true;
}

function checkFilterProperties(bytes: Buffer, at: number, end: number, isSubscribe: boolean) {
  return checkProperties(bytes, at, end, isSubscribe ? "subscribe" : "unsubscribe");
}

function mayBeOptions(options: number, version: Version): boolean {
  if (version === 4) return options <= 2;
  return (options & 0xc0) === 0 && (options & 3) !== 3 && (options & 0x30) !== 0x30;
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP [MQTT-3.4] with the right flags, of which the variable header goes from `body` to `end`. */
export function checkAcknowledgement(bytes: Buffer, body: number, end: number, version: Version): Reason | undefined {
  if (end - body < 2) return reasons.malformed;
  if (bytes.readUInt16BE(body) === 0) return reasons.protocolError;
  if (end - body === 2) return undefined;
  return version === 4 ? reasons.malformed : checkLastProperties(bytes, body + 3, end, "acknowledge");
}

/** DISCONNECT [MQTT-3.14]. */
export function checkDisconnect(packet: Buffer, body: number, version: Version): Reason | undefined {
  if (packet.length === body) return undefined;
  return version === 4 ? reasons.malformed : checkLastProperties(packet, body + 1, packet.length, "disconnect");
}

/** Properties at the end of a packet, which may be left out. */
function checkLastProperties(bytes: Buffer, at: number, end: number, place: Place): Reason | undefined {
  if (at === end) return undefined;
  const found = checkProperties(bytes, at, end, place);
  if ("code" in found) return found;
  return found.next === end ? undefined : reasons.malformed;
}

function skipProperties(packet: Buffer, at: number, place: Place): Step {
  const found = checkProperties(packet, at, packet.length, place);
  return "code" in found ? found : found.next;
}
