// Channel Notification: what happened to a channel, told to its endpoints.
import { roomConv } from "../../ids.ts";
import { devicesNamed, type MembershipEvent, wayOf } from "../../rooms.ts";
import type { Said } from "../dialect.ts";
import { eventText } from "../event-words.ts";
import { writeFields } from "./fields.ts";
import type { StoredMessage } from "./messages.ts";
import { channelIdOf, writeEndpoints, writeUser } from "./names.ts";

/** `Type` of the four that ASSChat knows; of a User Defined Notification it is whatever it is called. */
type Kind = "created" | "deleted" | "endpoints-in" | "endpoints-out";

export interface Notification {
  type: string;
  /** the user who did it */
  by: string;
  /** as they are written */
  endpoints: readonly string[];
  /** of created, where there is one */
  maxWriteSpeed?: number;
  body: string;
}

/** Content of what the second form says that is no text and no file: a message, and no news. */
export const bodyType = "x-asschat";
/** Endpoints that one packet names: a client may take no larger ones. */
const endpointsMax = 100;

export function notificationTopic(chid: string): string {
  return `ass/ntf/${chid}`;
}

/** What a stored message is told by, in order; empty: it is no news of the channel, but a Channel Msg. */
export function notificationsOf(message: StoredMessage): Notification[] {
  const { content, from } = message;
  const data = (content.data ?? {}) as Partial<MembershipEvent>;
  if (content.type === "event") return split(eventNotification(data, from));
  if (!content.type.startsWith("x-") || content.type === bodyType) return [];
  const body = typeof content.data === "string" ? content.data : JSON.stringify(content.data ?? content);
  return [{ type: content.type, by: from, endpoints: [], body }];
}

/** That there is a channel, told before the first message that a device gets of it. */
export function createdNotification(by: string, uids: readonly string[]): Notification {
  return { type: "created" satisfies Kind, by, endpoints: uids.map(writeUser), body: "" };
}

function kindOf({ event, way: ofDevices }: Partial<MembershipEvent>): Kind | undefined {
  if (event === "create") return "created";
  if (event === "delete") return "deleted";
  if (event === "nest") return "endpoints-in";
  if (event === "unnest") return "endpoints-out";
  const way = event === "devices" ? ofDevices : wayOf(event);
  return way && `endpoints-${way}`;
}

function eventNotification(event: Partial<MembershipEvent>, from: string): Notification {
  const { event: name, by = from, invited = [], devices = {} } = event;
  const kind = kindOf(event);
  const about = new Set([...(event.uids ?? []), ...Object.keys(devices)]);
  const here = [...about].filter((uid) => !invited.includes(uid));
  const nested = name === "create" ? event.room?.nested?.map(({ id }) => id) : event.rooms;
  const channels = (nested ?? []).map((id) => channelIdOf(roomConv(id)));
  const written = (uids: readonly string[]) => uids.flatMap((uid) => writeEndpoints(uid, devicesNamed(devices, uid)));
  const own = name === "create" || (here.length === 0 && channels.length === 0) ? [by, ...here] : here;
  const speed = event.room?.settings.messagesPerSecond;
  const body = eventText(event, from, (seq) => `message ${seq}`);
  // Who is only asked is no endpoint yet.
  if (kind === "endpoints-in" && here.length === 0 && invited.length > 0)
    return { type: name ?? "event", by, endpoints: written(invited), body };
  if (kind === undefined) return { type: name ?? "event", by, endpoints: written(event.uids ?? []), body };
  const endpoints = kind === "deleted" ? [] : [...written(own), ...channels];
  return { type: kind, by, endpoints, body, ...(kind === "created" && speed ? { maxWriteSpeed: speed } : {}) };
}

// The first says what it is, those behind it who else is in.
function split(notification: Notification): Notification[] {
  const { endpoints, type } = notification;
  const parts: Notification[] = [];
  for (let from = 0; from === 0 || from < endpoints.length; from += endpointsMax) {
    const rest = type === "created" && from > 0 ? ({ type: "endpoints-in" satisfies Kind } as const) : {};
    parts.push({ ...notification, ...rest, endpoints: endpoints.slice(from, from + endpointsMax) });
  }
  return parts;
}

/** `seq` and `part` come back with the device's ack. */
export function writeNotification(
  chid: string,
  { seq, ts, part }: { seq: number; ts: number; part: number },
  { type, by, endpoints, maxWriteSpeed, body }: Notification,
): Said {
  const userProperties = writeFields([
    ["CHID", chid],
    ["Type", type],
    ["OP", writeUser(by)],
    ["MaxWriteSpeed", maxWriteSpeed],
    ["Seq", seq],
    ["Ts", ts],
    ...endpoints.map((one) => ["EP", one] as const),
  ]);
  const correlationData = new TextEncoder().encode(`${seq}.${part} ${chid}`);
  return { topic: notificationTopic(chid), payload: body || type, properties: { userProperties, correlationData } };
}

/** Which notification an ack is of. */
export function readAcked(
  correlationData: Uint8Array | undefined,
): { chid: string; seq: number; part: number } | undefined {
  const text = new TextDecoder().decode(correlationData?.subarray(0, 64));
  const [, seq, part, chid] = /^(\d{1,15})\.(\d{1,6}) (\$\S+)$/.exec(text) ?? [];
  return chid === undefined ? undefined : { chid, seq: Number(seq), part: Number(part) };
}
