// Whom a message mentions, as the log has it, and what that does to those who are mentioned.
import type { Mentions } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Member, Recalled } from "../keep/store.ts";
import { mergeRecalled } from "../project/advance.ts";

/** What the log keeps in the `event` of a message that mentions somebody. */
export function mentionEvent({ uids, all }: Mentions): Readonly<Record<string, unknown>> {
  return { event: "mention", uids, ...(all ? { all } : {}) };
}

/** Whom an entry mentions. */
export function mentionsOf({ event }: LogEntry): Mentions | undefined {
  if (event?.event !== "mention") return undefined;
  return { uids: event.uids as string[], all: event.all === true };
}

/** Notes a mention of a member; those that it has seen are forgotten. True if anything changed. */
export function foldMention(member: Member, { seq, ord }: Pick<LogEntry, "seq" | "ord">): boolean {
  const seen = Math.max(member.deletedOrd, member.readOrd, member.sentOrd);
  const known = member.mentions ?? [];
  const unseen = known.filter(([, at]) => at > seen);
  const mentions = ord > seen ? mergeRecalled(unseen, [[seq, ord]]) : unseen;
  if (mentions.length === known.length && mentions.every(([at], index) => at === known[index]?.[0])) return false;
  member.mentions = mentions;
  return true;
}

/**
 * Messages that mention the member, not seen, not recalled, not deleted. `ofAll` are those to everybody. As unread:
 * what lies before the member's own last message is seen.
 */
export function unreadMentionsOf(
  member: Member,
  lastOrd: number,
  { recalled = none, mentionsOfAll = none }: { recalled?: readonly Recalled[]; mentionsOfAll?: readonly Recalled[] },
): number {
  const { mentions = none, hidden = none } = member;
  if (mentions.length === 0 && mentionsOfAll.length === 0) return 0;
  const seen = Math.max(member.joinOrd, member.deletedOrd, member.readOrd, member.sentOrd);
  const end = Math.min(lastOrd, member.leftOrd ?? lastOrd);
  const gone = new Set([...recalled, ...hidden].map(([seq]) => seq));
  const unread = [...mentions, ...mentionsOfAll].filter(([seq, ord]) => ord > seen && ord <= end && !gone.has(seq));
  return new Set(unread.map(([seq]) => seq)).size;
}

const none: readonly Recalled[] = [];
