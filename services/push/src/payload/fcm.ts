// A notice in the words of FCM, as firebase-admin takes them. A token of FCM may also be of an app on iOS: `apns` is for those.
import type { TokenMessage } from "firebase-admin/messaging";
import type { FcmNotification } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import { appDataOf } from "./app-data.ts";
import { fit, pictureOf } from "./fit.ts";
import { tagOf, threadOf } from "./identity.ts";
import type { Notice } from "./notice.ts";
import { expiresAtOf, isUrgent, secondsLeft } from "./urgency.ts";
import { type Words, wordsOf } from "./words.ts";

/**
 * FCM takes 4,096 bytes and does not document how it counts. Developers report that it refuses `data` of one key from 4,052 bytes
 * on, 6 bytes less for each further key, and notifications earlier, whose fields it gives longer names: so many bytes are kept.
 */
const most = 4_096 - 256;

/** What shows something is a notification, which FCM shows where the app does not run; `read` and `call` go to the app itself. */
export function fcmNotification(notice: Notice, { token }: Addressee, now: number): FcmNotification {
  const words = wordsOf(notice);
  const isForApp = words === undefined || notice.kind === "call";
  const build = (body: string | undefined, picture: string | undefined) => {
    const shown = words && { title: words.title, ...(body !== undefined && { body }) };
    return {
      ...(!isForApp && { notification: { ...shown, ...(picture !== undefined && { imageUrl: picture }) } }),
      data: { ...asTexts(appDataOf(notice)), ...(isForApp && shown) },
      android: androidOf(notice, { now, isForApp }),
      apns: appleOf(notice, { words, alert: isForApp ? shown : undefined, picture }),
    } satisfies Omit<TokenMessage, "token">;
  };
  return { provider: "fcm", token, message: fit(build, { body: words?.body, picture: pictureOf(notice), most }) };
}

function androidOf(notice: Notice, { now, isForApp }: { now: number; isForApp: boolean }) {
  const tag = tagOf(notice);
  const { kind, unread } = notice;
  return {
    priority: isUrgent(notice) ? ("high" as const) : ("normal" as const),
    ttl: secondsLeft(notice, now) * 1_000,
    collapseKey: tag,
    // Launchers add up the counts of an app's notifications: each has its conversation's own.
    ...(!isForApp && { notification: { tag, channelId: kind, ...(unread && { notificationCount: unread }) } }),
  };
}

// A call cannot ring by FCM on iOS, only show itself.
function appleOf(
  notice: Notice,
  { words, alert, picture }: { words: Words | undefined; alert: object | undefined; picture: string | undefined },
) {
  const headers = {
    "apns-collapse-id": tagOf(notice),
    "apns-expiration": String(Math.floor(expiresAtOf(notice) / 1_000)),
    "apns-priority": isUrgent(notice) ? "10" : "5",
    "apns-push-type": "alert",
  };
  const aps = {
    ...(alert && { alert }),
    ...(words ? { sound: "default" } : { contentAvailable: true }),
    badge: notice.badge,
    threadId: threadOf(notice),
    ...(picture !== undefined && { mutableContent: true }),
  };
  return { headers, payload: { aps } };
}

function asTexts(data: object): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, String(value)]));
}
