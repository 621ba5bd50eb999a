// What edits, recalls and reactions do to the message they are about: a function of the log, again is harmless.
import type { LogEntry } from "@parley/store";
import type { Annotations } from "../keep/annotations.ts";
import { recallEvent } from "./fold-entry.ts";

/** What the log keeps in the `event` of an entry that points at message `seq`. */
export type About =
  | { event: "edit"; seq: number }
  | { event: "recall"; seq: number }
  | { event: "reaction"; seq: number; text: string; remove?: boolean };

/** The `event` of an entry of this type about another message, so that its fold needs no look at either body. */
export function aboutEvent(
  type: string,
  about: LogEntry,
  reaction: { text: string; remove: boolean } | undefined,
): Readonly<Record<string, unknown>> {
  if (type === "recall") return recallEvent(about);
  if (!reaction) return { event: type, seq: about.seq };
  const { text, remove } = reaction;
  return { event: type, seq: about.seq, text, ...(remove ? { remove } : {}) };
}

/** What an entry says about another message, if it does. */
export function aboutOf({ type, event }: LogEntry): About | undefined {
  return event && event.event === type && type !== "event" ? (event as unknown as About) : undefined;
}

/** The message's annotations behind the entry; `known` itself where they have it already. */
export function annotate(known: Annotations, { seq, from }: LogEntry, about: About): Annotations {
  if (seq <= known.appliedSeq) return known;
  const now: Annotations = { ...known, appliedSeq: seq };
  if (about.event === "edit") return { ...now, edits: [...known.edits, seq] };
  if (about.event === "recall") return { ...now, reactions: [], recall: { seq, by: from } };
  if (about.event !== "reaction") return now;
  const isOwn = ([text, uid]: Annotations["reactions"][number]) => text === about.text && uid === from;
  if (about.remove) return { ...now, reactions: known.reactions.filter((one) => !isOwn(one)) };
  if (known.reactions.some(isOwn)) return now;
  return { ...now, reactions: [...known.reactions, [about.text, from, seq]] };
}
