// Topics of guests: each is a room whose id spells it, so that the room is found by the topic and the topic by the room.
import { isRoomId } from "./ids.ts";
import { isNativeTopic } from "./topics.ts";

/** What an id may not hold as it is, and the dot, which begins an escape. */
const special = /[^0-9a-zA-Z_\-@]/gu;
const asciiEscapes = Array.from({ length: 128 }, (_, byte) => escapedByte(byte));
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The room of a topic: other bytes are written `.HH`, so that `test/a` is `test.2Fa`. undefined: it is too long. */
export function roomOfTopic(topic: string): string | undefined {
  const id = topic.replace(special, escaped);
  return isRoomId(id) ? id : undefined;
}

function escaped(character: string): string {
  return asciiEscapes[character.codePointAt(0) ?? 0] ?? Array.from(encoder.encode(character), escapedByte).join("");
}

function escapedByte(byte: number): string {
  return `.${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

/** The topic that the id spells; undefined: none. */
export function topicOfRoom(roomId: string): string | undefined {
  const topic = unescaped(roomId);
  return topic !== undefined && isTopic(topic) && roomOfTopic(topic) === roomId ? topic : undefined;
}

/** undefined: its bytes are no text. */
function unescaped(roomId: string): string | undefined {
  // Nearly all are ASCII, and it is done with each message.
  if (!/\.[89A-F]/.test(roomId)) return roomId.replace(/\.([0-7][0-9A-F])/g, (_, hex) => characterOf(hex));
  const bytes = Array.from(roomId.matchAll(/\.([0-9A-F]{2})|./gs), ([part, hex]) =>
    hex === undefined ? part.charCodeAt(0) : Number.parseInt(hex, 16),
  );
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

function characterOf(hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

/** May who has this prefix use the topic? By levels: `chat` has `chat` and `chat/…`, not `chatter`. Native topics are nobody's. */
export function isUnderPrefix(topic: string, prefix: string): boolean {
  if (!isTopic(topic) || isNativeTopic(topic) || topic.startsWith("$")) return false;
  if (prefix === "" || topic === prefix) return true;
  return topic.startsWith(prefix.endsWith("/") ? prefix : `${prefix}/`);
}

function isTopic(text: string): boolean {
  return text !== "" && !/[+#\0]/.test(text);
}
