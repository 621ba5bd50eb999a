// Puts a notice into the words of the provider that a token is of. Pure: the same notice at the same time gives the same notification.
import type { Outgoing } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import { apnsNotification, voipNotification } from "./apns.ts";
import { fcmNotification } from "./fcm.ts";
import type { Notice } from "./notice.ts";
import { uncountedContent } from "./preview.ts";
import { expiresAtOf } from "./urgency.ts";
import { webPushNotification } from "./web-push.ts";

/**
 * undefined: there is nothing to send. The notice is of no use any more, its content is of a kind that nobody is told of, or the
 * token is not for it: a voip token is for calls (and tests) only, and Web Push has no notification that shows nothing.
 */
export function writeNotification(notice: Notice, to: Addressee, now: number = Date.now()): Outgoing | undefined {
  if (now >= expiresAtOf(notice)) return undefined;
  if (notice.kind === "message" && uncountedContent(notice.content)) return undefined;
  switch (to.kind) {
    case "apns":
      return apnsNotification(notice, to);
    case "apns-voip":
      return voipNotification(notice, to);
    case "fcm":
      return fcmNotification(notice, to, now);
    case "webpush":
      return webPushNotification(notice, to, now);
  }
}
