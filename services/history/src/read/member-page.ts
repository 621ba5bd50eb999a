// One page of a conversation's members: only the stays that are asked for, so that former members cost nothing.
import { limits, type MemberPage, type MemberRow, type MembersRequest } from "@parley/protocol";
import { standingOf } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";

interface Room {
  conv: string;
  memberSeq: number;
  members: ReadonlyMap<string, Member>;
  refused?: ReadonlyMap<string, unknown>;
}

/** Pages end at `bytes`, and hold at least one member. */
export function memberPage(
  { conv, memberSeq, members, refused }: Room,
  { seq, known, after, standing }: MembersRequest,
  bytes: number = limits.pageBytes,
): MemberPage {
  if (known === memberSeq) return { conv, memberSeq, members: [], unchanged: true };
  const rows = [...members.values()].flatMap((member): MemberRow[] => {
    const { uid, role, stays, mutedUntil } = member;
    if (after !== undefined && uid <= after) return [];
    if (standing !== undefined) return standingOf(member) === standing ? [{ uid, role, stays: [] }] : [];
    const reaching = stays.filter(([, leftSeq]) => leftSeq === null || (seq !== undefined && leftSeq >= seq));
    return reaching.length === 0
      ? []
      : [{ uid, role, stays: reaching, ...(mutedUntil === undefined ? {} : { mutedUntil }) }];
  });
  rows.sort((a, b) => (a.uid < b.uid ? -1 : 1));
  let size = 0;
  const end = rows.findIndex((row, index) => {
    size += JSON.stringify(row).length + 1;
    return index > 0 && size > bytes;
  });
  if (end < 0) return { conv, memberSeq, members: rows, ...(refused ? { refused: [...refused.keys()] } : {}) };
  const page = rows.slice(0, end);
  return { conv, memberSeq, members: page, next: page.at(-1)!.uid };
}
