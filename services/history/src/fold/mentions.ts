// Whom a message mentions, as the log has it, and what that does to those who are mentioned.
import type { Mentions } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Member, Recalled } from "../keep/store.ts";
import { mergeRecalled } from "../project/advance.ts";
import { isPresent } from "./members.ts";

/** What the log keeps in the `event` of a message that mentions somebody. */
export function mentionEvent({ uids, all }: Mentions): Readonly<Record<string, unknown>> {
  return { event: "mention", uids, ...(all ? { all } : {}) };
}

/** What the log keeps of those whom an edit mentions: it mentions them in the message `about`. */
export function mentionsInEdit(mentions: Mentions | undefined, about: Pick<LogEntry, "ord">): object {
  return mentions ? { mentions: { uids: mentions.uids, all: mentions.all, ord: about.ord } } : {};
}

/** Whom an entry mentions, and in which message. */
export function mentionsOf({ event, seq, ord }: LogEntry): (Mentions & { at: Recalled }) | undefined {
  if (event?.event === "mention") return { uids: event.uids as string[], all: event.all === true, at: [seq, ord] };
  if (event?.event !== "edit" || event.mentions === undefined) return undefined;
  const { uids, all, ord: ordOfMessage } = event.mentions as Mentions & { ord: number };
  return { uids, all, at: [event.seq as number, ordOfMessage] };
}

/** Notes a mention of a member; those that it has seen are forgotten. True if anything changed. */
export function foldMention(member: Member, [seq, ord]: Recalled): boolean {
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
  // An edit may say @all later, and nothing says when: to who has left it is none.
  const ofAll = isPresent(member) ? mentionsOfAll : none;
  if (mentions.length === 0 && ofAll.length === 0) return 0;
  const seen = Math.max(member.joinOrd, member.deletedOrd, member.readOrd, member.sentOrd);
  const end = Math.min(lastOrd, member.leftOrd ?? lastOrd);
  const gone = new Set([...recalled, ...hidden].map(([seq]) => seq));
  const unread = [...mentions, ...ofAll].filter(([seq, ord]) => ord > seen && ord <= end && !gone.has(seq));
  return new Set(unread.map(([seq]) => seq)).size;
}

const none: readonly Recalled[] = [];
