// The grammar of ids and conversations (DESIGN §1): the only place that knows how they are spelled.
import Type, { type Static } from "typebox";

const uidPattern = "^[0-9a-zA-Z_\\-@.]{1,32}$";
const clientIdPattern = "^(?!:)(?!.*:$)[0-9a-zA-Z_\\-@.:]{1,64}$";
const roomIdPattern = "^[0-9a-zA-Z_\\-@.]{1,64}$";

const uidRegex = new RegExp(uidPattern);
const clientIdRegex = new RegExp(clientIdPattern);
const roomIdRegex = new RegExp(roomIdPattern);

/** A user's id: 1–32 characters of `0-9 a-z A-Z _ - @ .` */
export const Uid = Type.String({ pattern: uidPattern, description: "user id" });
/** A native device's MQTT client id: `uid` or `uid:device[:n]`, at most 64 characters. */
export const ClientId = Type.String({ pattern: clientIdPattern, description: "MQTT client id of a device" });
/** A room's id: 1–64 characters of the uid alphabet. */
export const RoomId = Type.String({ pattern: roomIdPattern, description: "room id" });
/** A conversation: `p2p/{a}/{b}`, `room/{roomId}`, `ch/{$channelId}` or `dev/{from}/{uid}/{clientId}`. */
export const Conv = Type.String({ minLength: 4, maxLength: 140, description: "conversation" });

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

export function isRoomId(text: string): boolean {
  return roomIdRegex.test(text);
}

/** True for a client id of the native grammar, whoever owns it. */
export function isClientId(text: string): boolean {
  return clientIdRegex.test(text);
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
