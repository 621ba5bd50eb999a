// A notice in the words of FCM, as firebase-admin takes them. A token of FCM may also be of an app on iOS: `apns` is for those.

import type { FcmNotification } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import { appDataOf } from "./app-data.ts";
import { fit, pictureOf } from "./fit.ts";
import { tagOf, threadOf } from "./identity.ts";
import type { Notice } from "./notice.ts";
import { expiresAtOf, isUrgent, secondsLeft } from "./urgency.ts";
import { type Words, wordsOf } from "./words.ts";

/**
 * FCM takes 4,096 bytes and does not say how it counts. It has been seen to refuse `data` of one key from 4,052 bytes on, 6 bytes
 * more for each further key, and to give the fields of `notification` longer names of its own: as many bytes are kept for that.
 */
const most = 4_096 - 256;

/** What shows something is a notification, which FCM shows where the app does not run; `read` and `call` go to the app itself. */
export function fcmNotification(notice: Notice, { token }: Addressee, now: number): FcmNotification {
  const words = wordsOf(notice);
  const isForApp = words === undefined || notice.kind === "call";
  const picture = pictureOf(notice);
  const build = (body: string | undefined) => {
    const shown = words && { title: words.title, ...(body !== undefined && { body }) };
    return {
      ...(!isForApp && { notification: { ...shown, ...(picture !== undefined && { imageUrl: picture }) } }),
      data: { ...asTexts(appDataOf(notice)), ...(isForApp && shown) },
      android: androidOf(notice, { now, isForApp }),
      apns: appleOf(notice, words, isForApp ? shown : undefined),
    };
  };
  return { provider: "fcm", token, message: fit(build, words?.body, most) };
}

function androidOf(notice: Notice, { now, isForApp }: { now: number; isForApp: boolean }) {
  const tag = tagOf(notice);
  const { kind, unread } = notice;
  return {
    priority: isUrgent(notice) ? "high" : "normal",
    ttl: secondsLeft(notice, now) * 1_000,
    collapseKey: tag,
    // Launchers add up the counts of an app's notifications: each has its conversation's own.
    ...(!isForApp && { notification: { tag, channelId: kind, ...(unread && { notificationCount: unread }) } }),
  };
}

// A call cannot ring by FCM on iOS, only show itself.
function appleOf(notice: Notice, words: Words | undefined, alert: object | undefined) {
  const headers = {
    "apns-collapse-id": tagOf(notice),
    "apns-expiration": String(Math.floor(expiresAtOf(notice) / 1_000)),
    "apns-priority": isUrgent(notice) ? "10" : "5",
  };
  const aps = {
    ...(alert && { alert }),
    ...(words ? { sound: "default" } : { contentAvailable: true }),
    badge: notice.badge,
    threadId: threadOf(notice),
    ...(pictureOf(notice) !== undefined && { mutableContent: true }),
  };
  return { headers, payload: { aps } };
}

function asTexts(data: object): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, String(value)]));
}
