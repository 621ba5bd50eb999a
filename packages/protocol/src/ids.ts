// The grammar of ids and conversations: the only place that knows how they are spelled. What is handed in as an
// id and cannot be one is refused where it comes in, so that no store and no other service is ever asked about it.
import Type, { type Static } from "typebox";
import { Format } from "typebox/format";

const uid = "[0-9a-zA-Z_\\-@.]{1,32}";
const clientId = "(?!:)[0-9a-zA-Z_\\-@.:]{0,63}[0-9a-zA-Z_\\-@.]";
const roomId = "[0-9a-zA-Z_\\-@.]{1,64}";

const uidPattern = `^${uid}$`;
const clientIdPattern = `^${clientId}$`;
const roomIdPattern = `^${roomId}$`;
const convPattern = `^(p2p/${uid}/${uid}|room/${roomId}|ch/\\$${roomId}|dev/${uid}/${uid}/${clientId})$`;
/** Control characters, for the inside of a pattern's class. */
export const controls = "\\u0000-\\u001f\\u007f-\\u009f";
// Under the flag `u` the surrogates in the class are lone ones only: half a character, which no UTF-8 text can carry.
const character = `[^${controls}\\ud800-\\udfff]`;
const packetIdPattern = `^${character}{1,64}$`;
const namePattern = `^${character}*$`;

const uidRegex = new RegExp(uidPattern);
const clientIdRegex = new RegExp(clientIdPattern);
const roomIdRegex = new RegExp(roomIdPattern);
const packetIdRegex = new RegExp(packetIdPattern, "u");
const nameRegex = new RegExp(namePattern, "u");
const anyClientIdRegex = new RegExp(`^${character}{1,128}$`, "u");

/** The formats of ids and names: what a refusal says of them, and the pattern that the published schemas show. */
export const idFormats: Readonly<Record<string, { words: string; pattern: string }>> = {
  conversation: {
    words: "p2p/{a}/{b} with a ≤ b, room/{roomId}, ch/{$channelId} or dev/{from}/{uid}/{clientId}",
    pattern: convPattern,
  },
  "packet-id": { words: "1 to 64 characters, none of them a control character", pattern: packetIdPattern },
  name: { words: "without control characters", pattern: namePattern },
};
Format.Set("conversation", isConv);
Format.Set("packet-id", isPacketId);
Format.Set("name", isName);

/** A user's id: 1–32 characters of `0-9 a-z A-Z _ - @ .` */
export const Uid = Type.String({ pattern: uidPattern, description: "user id" });
/** A native device's MQTT client id: `uid` or `uid:device[:n]`, at most 64 characters. */
export const ClientId = Type.String({ pattern: clientIdPattern, description: "MQTT client id of a device" });
/** What kind of program a device is. */
export const DeviceKind = Type.String({
  pattern: "^[a-z0-9][a-z0-9.+-]{0,31}$",
  description: "what kind of program it is: browser, node, cli …",
});
/** A room's id: 1–64 characters of the uid alphabet. */
export const RoomId = Type.String({ pattern: roomIdPattern, description: "room id" });
/** A conversation's name as a pattern, for the keys of a record. */
export const ConvKey = Type.String({ pattern: convPattern });
/** A conversation: `p2p/{a}/{b}` with a ≤ b, `room/{roomId}`, `ch/{$channelId}` or `dev/{from}/{uid}/{clientId}`. */
export const Conv = Type.String({ format: "conversation", description: "conversation" });
/** The id that a device gives a message or a request: 1–64 characters of well-formed Unicode, no control characters. */
export const PacketId = packetId("made by the device");
/** A request's id: as text, or as a number that every JSON reader keeps exactly. */
export const RequestId = Type.Union([
  PacketId,
  Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
]);

/** `PacketId` with a description of its own. */
export function packetId(description: string) {
  return Type.String({ format: "packet-id", description });
}

/**
 * A line of text that others see, as the name of a user, a room or a key, or what a device says of itself, in characters:
 * well-formed Unicode, no control characters.
 */
export function displayText(lengths: { minLength?: number; maxLength: number }) {
  return Type.String({ format: "name", ...lengths });
}

export type Uid = Static<typeof Uid>;
export type Conversation =
  | { kind: "p2p"; a: string; b: string }
  | { kind: "room"; roomId: string }
  | { kind: "ch"; channelId: string }
  | { kind: "dev"; from: string; uid: string; clientId: string };
export type Address =
  | { kind: "user"; uid: string }
  | { kind: "device"; uid: string; clientId: string }
  | { kind: "room"; roomId: string };

/** Client ids that only Parley's own services may use; they need the services' secret. */
export const reservedClientId: RegExp = /^(router-|sys_)/;

export function isUid(text: string): boolean {
  return uidRegex.test(text);
}

/** The name as names are compared: `Alice` and `alice` are one, and so are two spellings of one character. */
export function foldName(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

function isRoomId(text: string): boolean {
  return roomIdRegex.test(text);
}

/** True for a client id of the native grammar, whoever owns it. */
function isClientId(text: string): boolean {
  return clientIdRegex.test(text);
}

/** True for what a client id may be in any protocol: 1–128 characters of well-formed Unicode, no control characters. */
export function isAnyClientId(text: string): boolean {
  return anyClientIdRegex.test(text);
}

/** True for a conversation's one spelling. */
export function isConv(text: string): boolean {
  return parseConv(text) !== undefined;
}

/** True for what may be the id of a message or a request. */
function isPacketId(text: string): boolean {
  return packetIdRegex.test(text);
}

/** True for what may be a name, but for its length. */
export function isName(text: string): boolean {
  return nameRegex.test(text);
}

/** The uid a native client id belongs to, or undefined if it is not a native client id. */
export function uidOfClientId(clientId: string): string | undefined {
  if (!clientIdRegex.test(clientId)) return undefined;
  const colon = clientId.indexOf(":");
  const uid = colon < 0 ? clientId : clientId.slice(0, colon);
  return uidRegex.test(uid) ? uid : undefined;
}

/** `p2p/{a}/{b}` with a ≤ b in byte order; a = b is a conversation with oneself. */
export function p2pConv(one: string, other: string): string {
  return one <= other ? `p2p/${one}/${other}` : `p2p/${other}/${one}`;
}

export function roomConv(roomId: string): string {
  return `room/${roomId}`;
}

export function deviceConv(from: string, uid: string, clientId: string): string {
  return `dev/${from}/${uid}/${clientId}`;
}

/** Takes a conversation apart, or undefined when it is not spelled as one. */
export function parseConv(conv: string): Conversation | undefined {
  const [kind, first = "", second = "", third, ...rest] = conv.split("/");
  if (rest.length > 0) return undefined;
  if (kind === "p2p" && third === undefined && isUid(first) && isUid(second) && first <= second)
    return { kind, a: first, b: second };
  if (kind === "room" && second === "" && conv === `room/${first}` && isRoomId(first)) return { kind, roomId: first };
  if (kind === "ch" && conv === `ch/${first}` && first.startsWith("$") && isRoomId(first.slice(1)))
    return { kind, channelId: first };
  if (kind === "dev" && third !== undefined && isUid(first) && isUid(second) && isClientId(third))
    return { kind, from: first, uid: second, clientId: third };
  return undefined;
}

/** Reads what a sender wrote in `to`, or undefined when it is no address Parley knows. */
export function parseAddress(to: string): Address | undefined {
  const [kind, id = "", word, clientId, ...rest] = to.split("/");
  if (rest.length > 0) return undefined;
  if (kind === "room" && word === undefined && isRoomId(id)) return { kind, roomId: id };
  if (kind !== "user" || !isUid(id)) return undefined;
  if (word === undefined) return { kind, uid: id };
  if (word === "client" && clientId !== undefined && isClientId(clientId)) return { kind: "device", uid: id, clientId };
  return undefined;
}

/** The conversation that a message from `from` to `address` belongs to. */
export function convOf(from: string, address: Address): string {
  if (address.kind === "room") return roomConv(address.roomId);
  if (address.kind === "user") return p2pConv(from, address.uid);
  return deviceConv(from, address.uid, address.clientId);
}

/** Who takes part in a conversation whose name says so; undefined where members are kept (rooms, channels). */
export function namedMembers(conversation: Conversation): string[] | undefined {
  if (conversation.kind === "p2p")
    return conversation.a === conversation.b ? [conversation.a] : [conversation.a, conversation.b];
  if (conversation.kind === "dev")
    return conversation.from === conversation.uid ? [conversation.uid] : [conversation.from, conversation.uid];
  return undefined;
}
