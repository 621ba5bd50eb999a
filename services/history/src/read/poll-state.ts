// How a poll stands, for one reader.
import type { PollState } from "@parley/protocol";
import { mayRead } from "../fold/members.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { Member } from "../keep/store.ts";

/** The votes that the member may know of, by option; `named` uids of each. Nobody voted yet: no options. */
export function pollState(
  member: Member,
  { votes = [], isAnonymous, closed }: Annotations,
  named: number = Number.POSITIVE_INFINITY,
): PollState {
  const known = votes.filter(([, , seq]) => mayRead(member, seq));
  const end = closed && mayRead(member, closed.seq) ? closed : undefined;
  const isSecret = isAnonymous === true && !end;
  return {
    options: isSecret ? [] : countVotes(known, isAnonymous ? 0 : named),
    voters: known.length,
    mine: [...(known.find(([uid]) => uid === member.uid)?.[1] ?? [])].sort((a, b) => a - b),
    ...(end && { closed: end }),
  };
}

function countVotes(votes: NonNullable<Annotations["votes"]>, named: number): PollState["options"] {
  const rows = new Map<number, PollState["options"][number]>();
  for (const [uid, options] of votes)
    for (const option of options) {
      const row = rows.get(option) ?? { option, count: 0, uids: [] };
      rows.set(option, row);
      row.count += 1;
      if (row.uids.length < named) row.uids.push(uid);
    }
  return [...rows.values()].sort((a, b) => a.option - b.option);
}
