// A thread as one member has it: counted on the list of its messages, which is short, so that stays, deletions and recalls count exactly.
import type { ThreadState } from "@parley/protocol";
import { sees } from "../fold/members.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { Member, Recalled, ThreadMark } from "../keep/store.ts";

export function threadState(
  member: Member,
  { seq, thread = [] }: Annotations,
  { mark, recalled = [] }: { mark: ThreadMark | undefined; recalled: readonly Recalled[] | undefined },
): ThreadState {
  const seen = thread.filter(([at]) => sees(member, at));
  const readSeq = mark?.readSeq ?? 0;
  const ownLast = seen.findLast(([, uid]) => uid === member.uid)?.[0] ?? 0;
  const gone = new Set(recalled.map(([at]) => at));
  const unread = seen.filter(([at]) => at > Math.max(readSeq, ownLast) && !gone.has(at));
  return {
    seq,
    count: seen.length,
    lastSeq: seen.at(-1)?.[0] ?? 0,
    unread: unread.length,
    following: mark?.following ?? false,
    readSeq,
  };
}
