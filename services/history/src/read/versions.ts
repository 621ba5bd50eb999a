// Which of its edits a member may read.
import { mayRead } from "../fold/members.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { Member } from "../keep/store.ts";

/** Seqs of the edits of a message that the member may read, oldest first. */
export function visibleEdits(member: Member, { edits }: Annotations): number[] {
  return edits.filter((seq) => mayRead(member, seq));
}
