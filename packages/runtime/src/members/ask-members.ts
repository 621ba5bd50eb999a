// The members of a conversation, of the history replica that holds it: page by page, all as of one moment.
import { AppError, type MemberList, type MemberPage, type MemberRow, type MembersRequest } from "@parley/protocol";
import type { AskHolder } from "../requests/ask-holder.ts";

// So often more may change while a room is read than one page tells of; then whoever asks tries again later.
const attemptsMax = 5;

type Ask = Pick<AskHolder, "json">;

/** Throws as `askHolder` does. undefined: the list is still the one of `known`. With `since`: what changed about that one. */
export async function askMembers(
  askHolder: Ask,
  request: Omit<MembersRequest, "after">,
): Promise<MemberList | undefined> {
  const { conv, seq } = request;
  const asked = { conv, ...(seq === undefined ? {} : { seq }) };
  const ask = (more: Partial<MembersRequest>) => askHolder.json<MemberPage>("members", conv, { ...asked, ...more });
  let first = await ask(request);
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    if (first.unchanged) return undefined;
    const { members, isOfOneMoment } = await readRest(ask, first);
    const { memberSeq, since } = first;
    const guests = first.guests ? { guests: first.guests } : {};
    if (isOfOneMoment) return { conv, memberSeq, members, ...(since === undefined ? {} : { since }), ...guests };
    // Somebody came or went between two pages: what changed since the first makes them a list of now.
    const changes = await ask({ known: memberSeq, changes: true });
    if (changes.since === memberSeq)
      return { conv, memberSeq: changes.memberSeq, members: withChanges(members, changes.members), ...guests };
    first = changes.unchanged ? await ask({}) : changes;
  }
  throw new AppError("unavailable", "the members change faster than they can be read");
}

async function readRest(
  ask: (more: Partial<MembersRequest>) => Promise<MemberPage>,
  { memberSeq, members, next }: MemberPage,
): Promise<{ members: MemberRow[]; isOfOneMoment: boolean }> {
  const all = [...members];
  let isOfOneMoment = true;
  for (let after = next; after !== undefined; ) {
    const page = await ask({ after });
    if (page.memberSeq !== memberSeq) isOfOneMoment = false;
    for (const row of page.members) all.push(row);
    after = page.next;
  }
  return { members: all, isOfOneMoment };
}

/** The rows with those that changed in their place; a changed one without stays is gone. */
export function withChanges(members: readonly MemberRow[], changed: readonly MemberRow[]): MemberRow[] {
  const uids = new Set(changed.map(({ uid }) => uid));
  const rows = members.filter(({ uid }) => !uids.has(uid));
  for (const row of changed) if (row.stays.length > 0) rows.push(row);
  return rows;
}
