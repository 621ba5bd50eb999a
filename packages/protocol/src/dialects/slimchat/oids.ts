// SlimChat draft, OID: where a packet goes, as a topic says it and as fields do.
import { AppError } from "../../errors.ts";
import { type Address, deviceAddress, isUid, parseAddress, parseConv } from "../../ids.ts";

/** What stands before an OID in a topic: the draft's, and the same without the dollar. */
export const forms = ["$IM/", "IM/"] as const;
export type Form = (typeof forms)[number];

/** What a topic names. */
export interface Place {
  form: Form;
  /** as Parley spells it: `user/{uid}`, `user/{uid}/client/{clientId}`, `room/{id}` */
  to: string;
  address: Address;
  /** the user; absent of a room */
  uid?: string;
  /** a user that is spelled `node/{id}` */
  isNode: boolean;
}

export function formOf(topic: string): Form | undefined {
  return forms.find((form) => topic.startsWith(form));
}

/** Programs of before the draft: they are told so. */
export function isOfBefore(topic: string): boolean {
  return /^(chat\/(node|room)|pres\/node)\//.test(topic);
}

const spellings = "user/{uid}, user/{uid}/client/{clientId}, room/{id} or node/{id}";

/** A topic that a device published on, or why nothing is behind it. */
export function readTopic(topic: string): Place | AppError {
  const form = formOf(topic);
  if (!form)
    return new AppError(
      "forbidden",
      `${topic.slice(0, 64)} is of a protocol before $IM/…: publish on $IM/${spellings}`,
    );
  const oid = topic.slice(form.length);
  if (oid.startsWith("domain/"))
    return new AppError("forbidden", "other domains cannot be reached from this server: it has no federation");
  const isNode = oid.startsWith("node/");
  const named = oid.replace(/^(?:user|node)\/(?:uid:)?/, "user/");
  // A client id may have slashes.
  const [, user, client] = /^user\/([^/]+)\/client\/(.+)$/s.exec(named) ?? [];
  const to = user === undefined || client === undefined ? named : deviceAddress(user, client);
  const address = parseAddress(to);
  if (!address) return new AppError("not_found", `the topic is none of ${form}${spellings}`);
  return { form, to, address, isNode, ...(address.kind === "room" ? {} : { uid: address.uid }) };
}

/** `uid:bob`, `user/bob`, `node/bob` and `bob` are one; undefined: none of them. */
export function plainUid(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  const uid = text.replace(/^(uid:|user\/|node\/)/, "");
  return isUid(uid) ? uid : undefined;
}

/** To all devices of a user. */
export function userTopic(form: Form, uid: string): string {
  return `${form}user/${uid}`;
}

/** To one device of a user. What no topic may have in it is written `%HH`. */
export function clientTopic(form: Form, uid: string, clientId: string): string {
  const level = clientId.replace(/[+#]/g, encodeURIComponent);
  return `${form}user/${uid}/client/${level}`;
}

/** As fields have it: a user and a room by their ids, a device by its OID. */
export function plainAddress(to: string): string {
  const address = parseAddress(to);
  if (address?.kind === "device") return `user/${address.uid}/client/${address.clientId}`;
  return /^(?:user|room)\/([^/]+)$/.exec(to)?.[1] ?? to;
}

/** Where a user's device, that has this client id, hears a conversation. */
export function convTopic(form: Form, conv: string, { uid, clientId }: { uid: string; clientId: string }): string {
  const parsed = parseConv(conv);
  if (parsed?.kind === "room") return `${form}room/${parsed.roomId}`;
  if (parsed?.kind === "ch") return `${form}room/${parsed.channelId}`;
  if (parsed?.kind === "dev" && parsed.uid === uid && parsed.clientId === clientId)
    return clientTopic(form, uid, clientId);
  return userTopic(form, uid);
}
