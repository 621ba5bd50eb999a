// A notice in the words of APNs: alerts, badges without an alert, and calls by voip tokens.
import type { ApnsNotification } from "../providers/outgoing.ts";
import type { Addressee } from "./addressee.ts";
import { appDataOf } from "./app-data.ts";
import { fit, pictureOf } from "./fit.ts";
import { notificationId, tagOf, threadOf } from "./identity.ts";
import type { Notice } from "./notice.ts";
import { expiresAtOf, isUrgent } from "./urgency.ts";
import { wordsOf } from "./words.ts";

/** Bytes of a payload: Apple, "Generating a remote notification". */
const most = { alert: 4_096, voip: 5_120 } as const;

export function apnsNotification(notice: Notice, to: Addressee): ApnsNotification {
  const words = wordsOf(notice);
  const { badge, ...data } = appDataOf(notice);
  const build = (body: string | undefined, picture: string | undefined) => ({
    aps: {
      ...(words ? { alert: { title: words.title, ...(body !== undefined && { body }) }, sound: "default" } : wakesApp),
      badge,
      "thread-id": threadOf(notice),
      ...(picture !== undefined && { "mutable-content": 1 }),
    },
    ...data,
    ...(picture !== undefined && { image: picture }),
  });
  return {
    ...headersOf(notice, to),
    topic: to.appId,
    // What changes the badge is of this type too. One of the type `background` may not, and Apple lets few of those through.
    pushType: "alert",
    priority: isUrgent(notice) ? 10 : 5,
    payload: fit(build, { body: words?.body, picture: pictureOf(notice), most: most.alert }),
  };
}

/** The app gets time to take away what was read. */
const wakesApp = { "content-available": 1 };

/** Whatever comes on a voip token rings: iOS ends an app that does not report a call then. So only calls, and tests, go there. */
export function voipNotification(notice: Notice, to: Addressee): ApnsNotification | undefined {
  if (notice.kind !== "call" && notice.kind !== "test") return undefined;
  const words = wordsOf(notice);
  const build = (body: string | undefined) => ({
    aps: {},
    title: words?.title,
    ...(body !== undefined && { body }),
    ...appDataOf(notice),
  });
  return {
    ...headersOf(notice, to),
    topic: `${to.appId}.voip`,
    pushType: "voip",
    priority: 10,
    payload: fit(build, { body: words?.body, most: most.voip }),
  };
}

function headersOf(notice: Notice, { token, sandbox }: Addressee) {
  return {
    provider: "apns",
    token,
    sandbox,
    collapseId: tagOf(notice),
    expiresAt: Math.floor(expiresAtOf(notice) / 1_000),
    id: notificationId(notice, token),
  } as const;
}
