// How much haste a notification has, and how long it is of use.
import type { Notice } from "./notice.ts";

/** A call rings so long. */
export const ringMs = 30_000;

/** Providers keep nothing longer: FCM and Web Push four weeks, APNs thirty days. */
const keptSeconds = 28 * 24 * 3_600;

/** unix ms: from when on the notice is of no use. */
export function expiresAtOf({ kind, at, expiresAt }: Notice): number {
  return kind === "call" ? Math.min(expiresAt, at + ringMs) : expiresAt;
}

/** Whole seconds that it is of use yet. */
export function secondsLeft(notice: Notice, now: number): number {
  return Math.min(keptSeconds, Math.max(0, Math.floor((expiresAtOf(notice) - now) / 1_000)));
}

/** It shows something that somebody waits for: a sleeping phone is woken for it. */
export function isUrgent({ kind }: Notice): boolean {
  return kind !== "read" && kind !== "accepted";
}

/** It is meant for this user: all that is urgent, but for what is said to a whole room. */
export function isPersonal(notice: Notice): boolean {
  const isRoomTalk = notice.kind === "message" && notice.room !== undefined && notice.mentioned !== true;
  return isUrgent(notice) && !isRoomTalk;
}
