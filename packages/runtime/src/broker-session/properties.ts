// What a publish may carry, checked before it is taken: a broker ends the connection over one bad topic or string,
// and a packet that is sent again at every reconnect would end it each time.
import { AppError } from "@parley/protocol";
import type { PublishProperties } from "./options.ts";

const NONE = new Uint8Array(0);
// Control characters, lone surrogates and non-characters, MQTT 5 section 1.5.4: Mosquitto ends the connection over one.
const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
const FORBIDDEN_IN_TOPIC = /[+#\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;
const MAX_STRING_BYTES = 65_535;

function refuse(what: string): never {
  throw new AppError("invalid_packet", what);
}

function tooLong(text: string): boolean {
  return text.length * 3 > MAX_STRING_BYTES && Buffer.byteLength(text) > MAX_STRING_BYTES;
}

export function checkTopic(topic: string): void {
  if (topic === "" || tooLong(topic) || FORBIDDEN_IN_TOPIC.test(topic)) {
    refuse("topic: must be 1 to 65,535 bytes of UTF-8 without wildcards and control characters");
  }
}

/** `code`: undefined, it is the second half of a pair. */
function encodeString(code: number | undefined, name: string, text: string): Buffer {
  if (tooLong(text) || FORBIDDEN.test(text)) {
    refuse(`${name}: must be at most 65,535 bytes of UTF-8 without control characters`);
  }
  return encodeBytes(code, name, Buffer.from(text));
}

function encodeBytes(code: number | undefined, name: string, bytes: Uint8Array): Buffer {
  if (bytes.length > MAX_STRING_BYTES) refuse(`${name}: must be at most 65,535 bytes`);
  const length = [bytes.length >>> 8, bytes.length & 0xff];
  return Buffer.concat([Buffer.from(code === undefined ? length : [code, ...length]), bytes]);
}

function encodeExpiry(seconds: number): Buffer {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 0xffffffff) {
    refuse("messageExpiryInterval: must be a whole number of seconds from 0 to 4294967295");
  }
  const bytes = Buffer.alloc(5, 0x02);
  bytes.writeUInt32BE(seconds, 1);
  return bytes;
}

/** The property list of a PUBLISH without its length, MQTT 5 section 3.3.2.3. */
export function encodeProperties(properties: PublishProperties | undefined): Uint8Array {
  if (!properties) return NONE;
  const { contentType, responseTopic, correlationData, messageExpiryInterval, userProperties = [] } = properties;
  const parts: Buffer[] = [];
  if (messageExpiryInterval !== undefined) parts.push(encodeExpiry(messageExpiryInterval));
  if (contentType !== undefined) parts.push(encodeString(0x03, "contentType", contentType));
  if (responseTopic !== undefined) {
    checkTopic(responseTopic);
    parts.push(encodeString(0x08, "responseTopic", responseTopic));
  }
  if (correlationData !== undefined) parts.push(encodeBytes(0x09, "correlationData", correlationData));
  for (const [name, value] of userProperties)
    parts.push(encodeString(0x26, "userProperties", name), encodeString(undefined, "userProperties", value));
  return parts.length === 0 ? NONE : Buffer.concat(parts);
}
