// ASSChat, 约定: what channels, users, clients and endpoints are called.
import { deviceAddress, isAnyClientId, isUid, parseConv } from "../../ids.ts";
import type { MemberMode } from "../../rooms.ts";
import { digest24 } from "./digest.ts";

const chid = /^\$[0-9a-zA-Z_-]{1,31}$/;
/** What a channel id is, for who is refused. */
export const channelIdWords = "$ and 1 to 31 letters, digits, _ and -";
const digested = /^\$[prd]-[0-9a-f]{24}$/;
const clientId = /^[0-9a-zA-Z_\-@.](?:[0-9a-zA-Z_\-@.:]{0,30}[0-9a-zA-Z_\-@.])?$/;

export function isChannelId(text: string): boolean {
  return chid.test(text);
}

/** One that only a digest names: of a conversation between two, of one with a device, of a room whose id is no channel id. */
export function isDigested(text: string): boolean {
  return digested.test(text);
}

/** `$` and the room's id; a digest of the conversation where that is no channel id. */
export function channelIdOf(conv: string): string {
  const parsed = parseConv(conv);
  if (parsed?.kind === "room") {
    const plain = `$${parsed.roomId}`;
    return isChannelId(plain) && !isDigested(plain) ? plain : `$r-${digest24(conv)}`;
  }
  const letter = parsed?.kind === "dev" ? "d" : parsed?.kind === "p2p" ? "p" : "r";
  return `$${letter}-${digest24(conv)}`;
}

/** A client id of the user's: the user id, or that, a colon and more, 32 characters at most. */
export function isClientIdOf(uid: string, id: string): boolean {
  return clientId.test(id) && (id === uid || id.startsWith(`${uid}:`));
}

export type Endpoint = (
  | { kind: "user"; uid: string }
  | { kind: "client"; uid: string; clientId: string }
  | { kind: "channel"; chid: string }
) & { mode?: MemberMode };

/** `user/{uid}`, `user/{uid}/client/{clientId}`, `$…`, or a bare user id or client id; behind it `;` and a mode, or nothing. */
export function readEndpoint(text: string): Endpoint | undefined {
  const [, name = "", mode] = /^([^;]*)(?:;(read|write|read-write))?$/.exec(text) ?? [];
  const found = named(name);
  return found && mode !== undefined ? { ...found, mode: mode as MemberMode } : found;
}

function named(name: string): Endpoint | undefined {
  if (isChannelId(name)) return { kind: "channel", chid: name };
  const [, uid = "", device] = /^user\/([^/]+)(?:\/client\/(.+))?$/.exec(name) ?? [];
  if (isUid(uid)) {
    if (device === undefined) return { kind: "user", uid };
    return isAnyClientId(device) ? { kind: "client", uid, clientId: device } : undefined;
  }
  if (isUid(name)) return { kind: "user", uid: name };
  const owner = name.split(":", 1)[0] ?? "";
  return isUid(owner) && isClientIdOf(owner, name) ? { kind: "client", uid: owner, clientId: name } : undefined;
}

export function writeUser(uid: string): string {
  return `user/${uid}`;
}

/** Endpoints: those of a user's clients that are named, else the user. */
export function writeEndpoints(uid: string, clientIds: readonly string[] | null | undefined): string[] {
  return clientIds?.map((id) => deviceAddress(uid, id)) ?? [writeUser(uid)];
}
