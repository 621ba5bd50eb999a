// The order in which conversations.list goes through a user's conversations, and its page token. The key that rows are sorted by
// moves while messages arrive, so a page that only went on behind the last row would lose what moved to the front meanwhile.
import { AppError } from "@parley/protocol";
import type { View } from "./reading.ts";

/** Where a listing is: behind the row (`ts`, `conv`), or, once all else was shown, behind `conv` among those that moved. */
export interface Place {
  /** unix ms: when the listing began */
  began: number;
  /** null: among those that moved */
  ts: number | null;
  conv: string;
}

// A message that was being stored when the listing began has an earlier time; so has one by a replica whose clock is behind.
const overlapMs = 60_000;

/** Latest first. */
export function sortLatestFirst(rows: View[]): View[] {
  return rows.sort((a, b) => tsOf(b) - tsOf(a) || byName(a, b));
}

/**
 * The rows behind `place`, in the listing's order. First those that are where they were when it began, the latest first; then all
 * that have moved since or may have, by their names, which do not move: some of them are shown again, none is left out.
 */
export function rowsBehind(rows: readonly View[], place: Place): { rows: readonly View[]; areMoved: boolean } {
  const { began, ts, conv } = place;
  if (ts !== null) {
    const rest = rows.filter((row) => tsOf(row) <= began && isBehind(row, { ts, conv }));
    if (rest.length > 0) return { rows: rest, areMoved: false };
  }
  const after = ts === null ? conv : "";
  const moved = rows.filter((row) => tsOf(row) > began - overlapMs && row.member.conv > after);
  return { rows: moved.sort(byName), areMoved: true };
}

/** `{began} {ts or *} {conv}` */
export function writePlace({ began, ts, conv }: Place): string {
  return `${began} ${ts ?? "*"} ${conv}`;
}

export function readPlace(page: string): Place | AppError {
  const [, began, ts, conv] = /^(\d{1,15}) (\d{1,15}|\*) (\S*)$/.exec(page) ?? [];
  if (began === undefined || ts === undefined || conv === undefined)
    return new AppError("invalid_packet", "page is not a token of this method");
  return { began: Number(began), ts: ts === "*" ? null : Number(ts), conv };
}

export function tsOf({ head }: View): number {
  return head?.ts ?? 0;
}

function isBehind(row: View, place: { ts: number; conv: string }): boolean {
  return tsOf(row) < place.ts || (tsOf(row) === place.ts && row.member.conv > place.conv);
}

function byName({ member: a }: View, { member: b }: View): number {
  return a.conv < b.conv ? -1 : 1;
}
