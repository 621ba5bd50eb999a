// The grammar of ids and conversations: the only place that knows how they are spelled. What is handed in as an
// id and cannot be one is refused where it comes in, so that no store and no other service is ever asked about it.
import Type, { type Static } from "typebox";
import { Format } from "typebox/format";

const uid = "[0-9a-zA-Z_\\-@.]{1,32}";
const clientId = "(?!:)[0-9a-zA-Z_\\-@.:]{0,63}[0-9a-zA-Z_\\-@.]";
const roomId = "[0-9a-zA-Z_\\-@.]{1,128}";
/** A device's client id in a conversation or an address: bytes that no native one has are `%HH`, so that any has one spelling. */
const device = "(?:[0-9a-zA-Z_\\-@.:]|%[0-9A-F]{2}){1,128}";

const uidPattern = `^${uid}$`;
const clientIdPattern = `^${clientId}$`;
const roomIdPattern = `^${roomId}$`;
const convPattern = `^(p2p/${uid}/${uid}|room/${roomId}|ch/\\$${roomId}|dev/${uid}/${uid}/${device})$`;
const addressPattern = `^(user/${uid}(/client/${device})?|room/${roomId})$`;
/** Control characters, for the inside of a pattern's class. */
export const controls = "\\u0000-\\u001f\\u007f-\\u009f";
// Under the flag `u` the surrogates in the class are lone ones only: half a character, which no UTF-8 text can carry.
const character = `[^${controls}\\ud800-\\udfff]`;
const anyClientIdPattern = `^${character}{1,128}$`;
const packetIdPattern = `^${character}{1,64}$`;
const namePattern = `^${character}*$`;
// Tab and new line besides, U+0009 and U+000A.
const textPattern = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\ud800-\\udfff]*$";
// What shows nothing: white space, invisible marks, fillers.
const blank = "\\s\\u00ad\\u115f\\u1160\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u2064\\u2800\\u3164\\ufeff\\uffa0";
const shownNamePattern = `^(?![${blank}]+$)${character}*$`;

/** It stands in keys of the store together with a uid; as a part of a conversation it has as many with its `%HH`. */
const clientIdBytes = 256;
const deviceRegex = new RegExp(`^${device}$`);
const uidRegex = new RegExp(uidPattern);
const clientIdRegex = new RegExp(clientIdPattern);
const roomIdRegex = new RegExp(roomIdPattern);
const addressRegex = new RegExp(addressPattern);
const packetIdRegex = new RegExp(packetIdPattern, "u");
const nameRegex = new RegExp(namePattern, "u");
const textRegex = new RegExp(textPattern, "u");
const shownNameRegex = new RegExp(shownNamePattern, "u");
const anyClientIdRegex = new RegExp(anyClientIdPattern, "u");

/** The formats of ids and names: what a refusal says of them, and the pattern that the published schemas show. */
export const idFormats: Readonly<Record<string, { words: string; pattern: string }>> = {
  conversation: {
    words: "p2p/{a}/{b} with a ≤ b, room/{roomId}, ch/{$channelId} or dev/{from}/{uid}/{clientId}",
    pattern: convPattern,
  },
  address: { words: "user/{uid}, user/{uid}/client/{clientId} or room/{id}", pattern: addressPattern },
  "client-id": { words: "1 to 128 characters, 256 bytes at most, no control characters", pattern: anyClientIdPattern },
  "packet-id": { words: "1 to 64 characters, none of them a control character", pattern: packetIdPattern },
  name: { words: "without control characters", pattern: namePattern },
  text: { words: "without control characters but new lines and tabs", pattern: textPattern },
  "shown-name": { words: "without control characters, and not only of blanks", pattern: shownNamePattern },
};
Format.Set("conversation", isConv);
Format.Set("address", isAddress);
Format.Set("client-id", isAnyClientId);
Format.Set("packet-id", isPacketId);
Format.Set("name", isName);
Format.Set("text", (text) => textRegex.test(text));
Format.Set("shown-name", (text) => shownNameRegex.test(text));

/** A user's id: 1–32 characters of `0-9 a-z A-Z _ - @ .` */
export const Uid = Type.String({ pattern: uidPattern, description: "user id" });
/** A native device's MQTT client id: `uid` or `uid:device[:n]`, at most 64 characters. */
export const ClientId = Type.String({ pattern: clientIdPattern, description: "MQTT client id of a device" });
/** A device's MQTT client id in any protocol: 1–128 characters, no control characters. */
export const AnyClientId = Type.String({ format: "client-id", description: "MQTT client id of a device" });
/** What kind of program a device is. */
export const DeviceKind = Type.String({
  pattern: "^[a-z0-9][a-z0-9.+-]{0,31}$",
  description: "what kind of program it is: browser, node, cli …",
});
/** A room's id: 1–128 characters of the uid alphabet. */
export const RoomId = Type.String({ pattern: roomIdPattern, description: "room id" });
/** A conversation's name as a pattern, for the keys of a record. */
export const ConvKey = Type.String({ pattern: convPattern });
/** A conversation: `p2p/{a}/{b}` with a ≤ b, `room/{roomId}`, `ch/{$channelId}` or `dev/{from}/{uid}/{clientId}`. */
export const Conv = Type.String({ format: "conversation", description: "conversation" });
/** Where a message goes. */
export const To = Type.String({
  format: "address",
  description: "user/{uid}, user/{uid}/client/{clientId} or room/{id}",
});
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

/** The name of a user or a room: a `displayText` that shows something, or nothing where `minLength` allows it. */
export function nameText(lengths: { minLength?: number; maxLength: number }) {
  return Type.String({ format: "shown-name", ...lengths });
}

/** A text of several lines that others see: a `displayText` that may have new lines (`\n`) and tabs. */
export function linesText(lengths: { minLength?: number; maxLength: number }) {
  return Type.String({ format: "text", ...lengths });
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

export function isRoomId(text: string): boolean {
  return roomIdRegex.test(text);
}

/** True for what a client id may be in any protocol: 1–128 characters of well-formed Unicode, no control characters. */
export function isAnyClientId(text: string): boolean {
  return anyClientIdRegex.test(text) && new TextEncoder().encode(text).length <= clientIdBytes;
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

/** Parley's own services' user name at brokers and NATS. Only who has the services' secret connects with it. */
export const servicesUsername = "parley";

/** The uid a native client id belongs to, or undefined if it is not a native client id. */
export function uidOfClientId(clientId: string): string | undefined {
  if (!clientIdRegex.test(clientId)) return undefined;
  const colon = clientId.indexOf(":");
  const uid = colon < 0 ? clientId : clientId.slice(0, colon);
  return uidRegex.test(uid) ? uid : undefined;
}

/**
 * The uid that a client id names: of a native one, or of the user's id alone or with one more character, as some protocols
 * have it. Others may be called so by chance: it is that user's if there is one.
 */
export function uidNamedBy(clientId: string): string | undefined {
  const uid = uidOfClientId(clientId);
  if (uid !== undefined) return uid;
  const characters = [...clientId];
  const last = characters.pop();
  const named = characters.join("");
  return last !== undefined && isUid(named) && !isUid(last) ? named : undefined;
}

/** `p2p/{a}/{b}` with a ≤ b in byte order; a = b is a conversation with oneself. */
export function p2pConv(one: string, other: string): string {
  return one <= other ? `p2p/${one}/${other}` : `p2p/${other}/${one}`;
}

export function roomConv(roomId: string): string {
  return `room/${roomId}`;
}

export function deviceConv(from: string, uid: string, clientId: string): string {
  return `dev/${from}/${uid}/${writeDevice(clientId)}`;
}

/** Where a message to one device of a user goes; no address Parley knows if the client id is too long for one. */
export function deviceAddress(uid: string, clientId: string): string {
  return `user/${uid}/client/${writeDevice(clientId)}`;
}

function writeDevice(clientId: string): string {
  const hex = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return clientId.replace(/[^0-9a-zA-Z_\-@.:]+/g, (others) => [...new TextEncoder().encode(others)].map(hex).join(""));
}

/** undefined: it is no client id's one spelling. */
function readDevice(text: string): string | undefined {
  if (!deviceRegex.test(text) || text.length > clientIdBytes) return undefined;
  if (!text.includes("%")) return text;
  try {
    const clientId = decodeURIComponent(text);
    return isAnyClientId(clientId) && writeDevice(clientId) === text ? clientId : undefined;
  } catch {
    return undefined;
  }
}

const knownConvs = new Map<string, Readonly<Conversation>>();
const knownConvsMax = 20_000;

/** Takes a conversation apart, or undefined when it is not spelled as one. Remembered for the latest 20,000 that are. */
export function parseConv(conv: string): Readonly<Conversation> | undefined {
  const known = knownConvs.get(conv);
  if (known !== undefined) return known;
  const parsed = readConv(conv);
  if (parsed === undefined) return undefined;
  if (knownConvs.size >= knownConvsMax) knownConvs.clear();
  knownConvs.set(conv, Object.freeze(parsed));
  return parsed;
}

function readConv(conv: string): Conversation | undefined {
  const [kind, first = "", second = "", third, ...rest] = conv.split("/");
  if (rest.length > 0) return undefined;
  if (kind === "p2p" && third === undefined && isUid(first) && isUid(second) && first <= second)
    return { kind, a: first, b: second };
  if (kind === "room" && second === "" && conv === `room/${first}` && isRoomId(first)) return { kind, roomId: first };
  if (kind === "ch" && conv === `ch/${first}` && first.startsWith("$") && isRoomId(first.slice(1)))
    return { kind, channelId: first };
  const clientId = kind === "dev" && third !== undefined ? readDevice(third) : undefined;
  if (clientId !== undefined && isUid(first) && isUid(second))
    return { kind: "dev", from: first, uid: second, clientId };
  return undefined;
}

/** Reads what a sender wrote in `to`, or undefined when it is no address Parley knows. */
export function parseAddress(to: string): Address | undefined {
  return isAddress(to) ? addressOf(to) : undefined;
}

/** Takes a `To` apart that was checked: it is not looked at again. */
export function addressOf(to: string): Address {
  const [kind, id = "", , named] = to.split("/");
  if (kind === "room") return { kind, roomId: id };
  if (named === undefined) return { kind: "user", uid: id };
  return { kind: "device", uid: id, clientId: readDevice(named) ?? named };
}

function isAddress(to: string): boolean {
  if (!addressRegex.test(to)) return false;
  const named = to.split("/client/")[1];
  return named === undefined || readDevice(named) !== undefined;
}

/** The conversation that a message from `from` to `address` belongs to. */
export function convOf(from: string, address: Address): string {
  if (address.kind === "room") return roomConv(address.roomId);
  if (address.kind === "user") return p2pConv(from, address.uid);
  return deviceConv(from, address.uid, address.clientId);
}

/** The `to` of a message of `from` in a conversation. */
export function toOf(from: string, conv: string): string {
  const parsed = parseConv(conv);
  if (parsed?.kind === "dev") return deviceAddress(parsed.uid, parsed.clientId);
  if (parsed?.kind === "p2p") return `user/${parsed.a === from ? parsed.b : parsed.a}`;
  return conv;
}

/** Who takes part in a conversation whose name says so; undefined where members are kept (rooms, channels). */
export function namedMembers(conversation: Conversation): string[] | undefined {
  if (conversation.kind === "p2p")
    return conversation.a === conversation.b ? [conversation.a] : [conversation.a, conversation.b];
  if (conversation.kind === "dev")
    return conversation.from === conversation.uid ? [conversation.uid] : [conversation.from, conversation.uid];
  return undefined;
}
