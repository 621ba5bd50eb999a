// What edits, recalls, reactions and votes do to the message they are about: a function of the log, again is harmless.
import { type Mentions, pointingTypes, type Reaction } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import type { Annotations, Voted } from "../keep/annotations.ts";
import { expiryOf, expiryOrigin } from "../keep/timers.ts";
import { recallEvent } from "./fold-entry.ts";
import { mentionsInEdit } from "./mentions.ts";
import { threadOf } from "./message-event.ts";

/** What the log keeps in the `event` of an entry that points at message `seq`. */
export type About =
  | { event: "edit"; seq: number }
  | { event: "recall"; seq: number }
  | { event: "reaction"; seq: number; text: string; remove?: boolean }
  | { event: "vote"; seq: number; options: number[]; anonymous?: true }
  | { event: "close"; seq: number }
  | { event: "thread"; seq: number };

/** The `event` of an entry of this type about another message, so that its fold needs no look at either body. */
export function aboutEvent(
  type: string,
  about: LogEntry,
  {
    reaction,
    vote,
    mentions,
    isAnonymous,
  }: {
    reaction?: Reaction | undefined;
    vote?: number[] | undefined;
    mentions?: Mentions | undefined;
    isAnonymous: boolean;
  },
): Readonly<Record<string, unknown>> {
  if (type === "recall") return recallEvent(about);
  if (vote) return { event: type, seq: about.seq, options: vote, ...(isAnonymous && { anonymous: true }) };
  // An edit disappears with its message.
  if (type === "edit") return { event: type, seq: about.seq, ...expiryOf(about), ...mentionsInEdit(mentions, about) };
  if (!reaction) return { event: type, seq: about.seq };
  const { text, remove } = reaction;
  return { event: type, seq: about.seq, text, ...(remove ? { remove } : {}) };
}

/** What an entry says about another message, if it does: a message of a thread is one more about its first. */
export function aboutOf({ type, event }: LogEntry): About | undefined {
  const thread = type === "event" ? undefined : threadOf({ event });
  if (thread !== undefined) return { event: "thread", seq: thread };
  return pointingTypes.has(type) && event?.event === type ? (event as unknown as About) : undefined;
}

/** The message's annotations behind the entry; `known` itself where they have it already. */
export function annotate(known: Annotations, { seq, from, origin }: LogEntry, about: About): Annotations {
  if (seq <= known.appliedSeq) return known;
  const now: Annotations = { ...known, appliedSeq: seq };
  if (about.event === "edit") return { ...now, edits: [...known.edits, seq] };
  if (about.event === "recall") {
    const { votes: _, ...rest } = now;
    const expired = origin === expiryOrigin && { expired: true as const };
    return { ...rest, reactions: [], recall: { seq, by: from, ...expired } };
  }
  if (about.event === "thread")
    return { ...now, threadSeq: known.seq, thread: [...(known.thread ?? []), [seq, from] as const] };
  if (about.event === "close") return { ...now, closed: { seq, by: from } };
  if (about.event === "vote") return withVote(now, about, [from, about.options, seq]);
  if (about.event !== "reaction") return now;
  const isOwn = ([text, uid]: Annotations["reactions"][number]) => text === about.text && uid === from;
  if (about.remove) return { ...now, reactions: known.reactions.filter((one) => !isOwn(one)) };
  if (known.reactions.some(isOwn)) return now;
  return { ...now, reactions: [...known.reactions, [about.text, from, seq]] };
}

// A user has one vote: the latest, or none.
function withVote(known: Annotations, { anonymous }: { anonymous?: true }, vote: Voted): Annotations {
  const others = (known.votes ?? []).filter(([uid]) => uid !== vote[0]);
  return {
    ...known,
    votes: vote[1].length > 0 ? [...others, vote] : others,
    ...(anonymous && { isAnonymous: true }),
  };
}
