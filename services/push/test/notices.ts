// Notices of every kind, tokens of every provider, and what is seen of a notification.
import assert from "node:assert/strict";
import type { Addressee } from "../src/payload/addressee.ts";
import type { Notice } from "../src/payload/notice.ts";
import { writeNotification } from "../src/payload/write-notification.ts";
import type { ApnsNotification, FcmNotification, Outgoing, WebPushNotification } from "../src/providers/outgoing.ts";

export const at = 1_795_240_400_000;
export const day = 24 * 3_600_000;
export const keys = { p256dh: "BPub", auth: "auth" };
export const appId = "org.example.chat";
export const tokens = {
  apns: { kind: "apns", token: "aa11", appId, sandbox: true },
  voip: { kind: "apns-voip", token: "bb22", appId, sandbox: false },
  fcm: { kind: "fcm", token: "cc33", appId, sandbox: false },
  web: { kind: "webpush", token: "https://push.example/dd44", keys, appId, sandbox: false },
} as const satisfies Record<string, Addressee>;
export const shown = [tokens.apns, tokens.fcm, tokens.web];

export const direct: Notice = {
  kind: "message",
  uid: "bob",
  clientId: "bob:phone",
  conv: "p2p/alice/bob",
  seq: 12,
  id: "m12",
  from: { uid: "alice", name: "Alice Ng" },
  content: { type: "text", data: "lunch?" },
  badge: 7,
  unread: 1,
  preview: "full",
  language: "en",
  at,
  expiresAt: at + day,
};
export const inRoom: Notice = { ...direct, conv: "room/r-77", room: { id: "r-77", name: "Tea Time" } };
export const call: Notice = { ...direct, kind: "call", content: { type: "call", media: "video", call: "c-1" } };
const { conv: _, seq: __, id: ___, content: ____, unread: _____, ...nowhere } = direct;
export const notices: Readonly<Record<Notice["kind"], Notice>> = {
  message: direct,
  call,
  invitation: { ...inRoom, kind: "invitation", content: { type: "event", data: { event: "invite" } } },
  request: { ...nowhere, kind: "request" },
  accepted: { ...nowhere, kind: "accepted" },
  read: { ...direct, kind: "read" },
  test: { ...nowhere, kind: "test" },
};

// biome-ignore lint/suspicious/noExplicitAny: tests reach into what is sent at any depth
type Json = any;

export function write(notice: Notice, to: Addressee, now = at): Outgoing {
  const outgoing = writeNotification(notice, to, now);
  assert.ok(outgoing, `${notice.kind} to ${to.kind}`);
  return outgoing;
}
export const toApns = (notice: Notice) => write(notice, tokens.apns) as ApnsNotification & { payload: Json };
export const toVoip = (notice: Notice) => write(notice, tokens.voip) as ApnsNotification & { payload: Json };
export const toFcm = (notice: Notice, now = at) =>
  write(notice, tokens.fcm, now) as FcmNotification & { message: Json };
export const toWeb = (notice: Notice, now = at) => write(notice, tokens.web, now) as WebPushNotification;

/** The JSON that the provider is given. */
export function jsonOf(outgoing: Outgoing): string {
  if (outgoing.provider === "webpush") return outgoing.payload;
  return JSON.stringify(outgoing.provider === "fcm" ? outgoing.message : outgoing.payload);
}

export const bytesOf = (outgoing: Outgoing) => Buffer.byteLength(jsonOf(outgoing));

/** What is seen of it. */
export function seen(outgoing: Outgoing): { title?: string; body?: string } {
  const said = JSON.parse(jsonOf(outgoing));
  if (outgoing.provider === "fcm") return said.notification ?? said.data;
  const { title, body } = outgoing.provider === "apns" ? (said.aps.alert ?? said) : said;
  return { title, body };
}
