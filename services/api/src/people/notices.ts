// What push is to tell the devices of one of two users: that the other asks to be a contact, or is one now. A part of the pair's
// document, so that it is noted with the change itself.
import type { PairDoc, PairNotice, Side } from "../store.ts";

/** Older ones are given up: the clients have them by their rosters (ms). */
const noticeLifeMs = 10 * 60_000;

/** The pair as it is about to be kept, with what is to be told of its change, and of changes before while that still holds. */
export function withNotices(pair: PairDoc, before: PairDoc | undefined, now: number): PairDoc {
  const toA = noticeOf(before?.ofA, pair.ofA, now) ?? before?.noticeToA;
  const toB = noticeOf(before?.ofB, pair.ofB, now) ?? before?.noticeToB;
  return withThose(pair, { toA, toB }, now);
}

/** What is still to be told. */
export function noticesOf(pair: PairDoc, now: number): { to: string; by: string; notice: PairNotice }[] {
  const { a, b, ofA, ofB, noticeToA, noticeToB } = pair;
  return [
    ...(noticeToA && holds(noticeToA, ofA, now) ? [{ to: a, by: b, notice: noticeToA }] : []),
    ...(noticeToB && holds(noticeToB, ofB, now) ? [{ to: b, by: a, notice: noticeToB }] : []),
  ];
}

/** The pair without what was told, and what holds no more. `told`: their times */
export function withoutTold(pair: PairDoc, told: readonly PairNotice[], now: number): PairDoc {
  const { noticeToA, noticeToB } = pair;
  const left = (notice: PairNotice | undefined) =>
    told.some(({ kind, at }) => kind === notice?.kind && at === notice.at) ? undefined : notice;
  return withThose(pair, { toA: left(noticeToA), toB: left(noticeToB) }, now);
}

// Of a request the one who is asked hears, of an acceptance the one who asked.
function noticeOf(before: Side | undefined, after: Side | undefined, now: number): PairNotice | undefined {
  const isAsked = before?.relation !== "pending" && after?.relation === "pending";
  const isAccepted = before?.relation === "requested" && after?.relation === "contact";
  if (!isAsked && !isAccepted) return undefined;
  return { kind: isAsked ? "request" : "accepted", at: now };
}

// Whom the user has blocked or muted it is told nothing of.
function holds({ kind, at }: PairNotice, side: Side | undefined, now: number): boolean {
  if (!side || side.blocked || side.muted || at < now - noticeLifeMs) return false;
  return side.relation === (kind === "request" ? "pending" : "contact");
}

function withThose(
  { noticeToA: _, noticeToB: __, notifyAt, ...pair }: PairDoc,
  { toA, toB }: { toA: PairNotice | undefined; toB: PairNotice | undefined },
  now: number,
): PairDoc {
  const left = {
    ...(toA && holds(toA, pair.ofA, now) && { noticeToA: toA }),
    ...(toB && holds(toB, pair.ofB, now) && { noticeToB: toB }),
  };
  return Object.keys(left).length === 0 ? pair : { ...pair, ...left, notifyAt: Math.min(notifyAt ?? now, now) };
}
