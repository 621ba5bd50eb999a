// A notice in the words of Web Push: JSON from which a service worker shows a notification.
import type { WebPushNotification } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import { appDataOf } from "./app-data.ts";
import { fit, pictureOf } from "./fit.ts";
import { tagOf } from "./identity.ts";
import type { Notice } from "./notice.ts";
import { isPersonal, isUrgent, secondsLeft } from "./urgency.ts";
import { wordsOf } from "./words.ts";

/** Bytes that fit encrypted into the 4,096 that every push service takes (RFC 8030, 8188, 8291). */
const most = 3_993;

/**
 * The payload's fields beside `title` are options of `showNotification(title, options)`. undefined: nothing is shown; browsers let
 * no push come without a notification.
 */
export function webPushNotification(notice: Notice, to: Addressee, now: number): WebPushNotification | undefined {
  const words = wordsOf(notice);
  if (words === undefined || to.keys === undefined) return undefined;
  const { title, body, language, direction } = words;
  const tag = tagOf(notice);
  const build = (shown: string | undefined, picture: string | undefined) => ({
    title,
    ...(shown !== undefined && { body: shown }),
    tag,
    // One that takes the place of another is noticed again.
    renotify: true,
    ...(notice.kind === "call" && { requireInteraction: true }),
    lang: language,
    dir: direction,
    timestamp: notice.at,
    ...(picture !== undefined && { image: picture }),
    data: appDataOf(notice),
  });
  return {
    provider: "webpush",
    endpoint: to.token,
    keys: to.keys,
    payload: JSON.stringify(fit(build, { body, picture: pictureOf(notice), most })),
    ttl: secondsLeft(notice, now),
    urgency: isPersonal(notice) ? "high" : isUrgent(notice) ? "normal" : "low",
    topic: tag,
  };
}
