// Names by which providers and apps know notifications: what takes the place of what, and what is one notification.
import { hash } from "node:crypto";
import type { Notice } from "./notice.ts";

const threadCharacters = 22;
const ownCharacters = 10;

/**
 * What notifications of one conversation have in common, 22 characters of base64url. It is a hash with the device in it, so that
 * providers neither read conversations' names nor see who shares one.
 */
export function threadOf({ uid, clientId, kind, conv, from }: Notice): string {
  const about = conv ?? (kind === "test" ? [kind] : ["contact", from?.uid]);
  return digest([uid, clientId, about]).slice(0, threadCharacters);
}

/**
 * A later notification with the same tag takes the place of an earlier one. It begins with the thread; invitations and calls have
 * ten characters of their own behind it. Of a call the record has the tag of the ringing, if both name the call.
 */
export function tagOf(notice: Notice): string {
  const own = ownPart(notice);
  const thread = threadOf(notice);
  return own === undefined ? thread : thread + digest(own).slice(0, ownCharacters);
}

function ownPart({ kind, content, seq }: Notice): unknown[] | undefined {
  if (kind === "invitation") return [kind];
  const call = content?.type === "call" ? content.call : undefined;
  if (kind === "call" || call !== undefined) return ["call", call ?? seq];
  return undefined;
}

/** A UUID (version 8 of RFC 9562) that one notification to one token has each time that it is tried. */
export function notificationId(notice: Notice, token: string): string {
  const { kind, conv, seq, from, at } = notice;
  const hex = hash("sha256", JSON.stringify([token, kind, conv, seq ?? [from?.uid, at]]), "hex");
  const variant = ((Number.parseInt(hex[16] ?? "0", 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

function digest(parts: unknown[]): string {
  return hash("sha256", JSON.stringify(parts), "base64url");
}
