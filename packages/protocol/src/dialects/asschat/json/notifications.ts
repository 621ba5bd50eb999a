// Channel Notification: what happened to a channel, told to its users on their own topics.
import type { Downlink, Said } from "../../dialect.ts";
import type { Device } from "../device.ts";
import type { StoredMessage } from "../messages.ts";
import { readEndpoint } from "../names.ts";
import { type Notification, notificationsOf } from "../notifications.ts";
import { chIdOf, writeSender } from "./ids.ts";
import { answersTopic } from "./topics.ts";

const types: Readonly<Record<string, string>> = {
  created: "CH_CREATED",
  deleted: "CH_DELETED",
  "endpoints-in": "CH_USERS_IN",
  "endpoints-out": "CH_USERS_OUT",
};

/** What a stored message is told by; empty: it is a Channel Msg. */
export function writeNotifications({ tree, channels }: Device, message: StoredMessage): Said[] {
  const { conv, seq, ts, content } = message;
  const ch_id = chIdOf(conv, channels);
  return notificationsOf(message).map((one) => {
    const notif = content.type === "event" ? changeOf(one, ch_id) : userDefined(content, ch_id);
    return said(tree.clientId, { msg_id: seq, notif, from: senderOf(one, message), timestamp: ts });
  });
}

function changeOf({ type, endpoints, body }: Notification, ch_id: string): object {
  const named = Object.hasOwn(types, type) ? types[type] : `CH_${type.toUpperCase()}`;
  const users = [...new Set(endpoints.map(nameOf))];
  return { type: named, ch_id, ...(users.length === 0 ? {} : { users }), msg: body };
}

/** The form knows users alone: of others what the first form calls them. */
function nameOf(endpoint: string): string {
  const read = readEndpoint(endpoint);
  return read?.kind === "user" || read?.kind === "client" ? read.uid : endpoint;
}

/** Of an application's own type: its fields beside the two that all have. */
function userDefined({ type, ...fields }: StoredMessage["content"], ch_id: string): object {
  return { ...fields, type, ch_id };
}

function senderOf({ by }: Notification, message: StoredMessage): string {
  return by === message.from ? writeSender(message) : by;
}

/** That the user is asked into a channel, which is not kept: it is none of its users yet. */
export function writeInvitation({ tree, channels }: Device, { conv, by }: Downlink, at: number): Said[] {
  if (typeof conv !== "string" || typeof by !== "string") return [];
  const notif = { type: "CH_INVITATION", ch_id: chIdOf(conv, channels), msg: `${by} invites you` };
  return [said(tree.clientId, { notif, from: by, timestamp: at })];
}

function said(clientId: string, fields: object): Said {
  return { topic: answersTopic(clientId), payload: JSON.stringify({ type: "ch_notif", ...fields }) };
}
