// The end of a conversation: what its last entry leaves, as far as what is unread and what it is called go.
import { conversationPartition } from "@parley/protocol/partition";
import type { LogEntry } from "@parley/store";
import { membershipOf, recallOf } from "../../fold/fold-entry.ts";
import { mentionsOf } from "../../fold/mentions.ts";
import type { Recalled } from "../../keep/store.ts";
import { mergeRecalled } from "../../project/advance.ts";

/** Never changed, but replaced. */
export interface End {
  readonly q: number;
  /** of its last entry; 0: there is none */
  readonly pos: number;
  readonly seq: number;
  readonly ord: number;
  readonly name: string;
  readonly recalled: readonly Recalled[];
  readonly mentionsOfAll: readonly Recalled[];
}

const none: readonly Recalled[] = [];

export function noEnd(conv: string): End {
  const q = conversationPartition(conv);
  return { q, pos: 0, seq: 0, ord: 0, name: "", recalled: none, mentionsOfAll: none };
}

export function endBehind(end: End, entry: LogEntry): End {
  const { pos, seq, ord } = entry;
  if (seq <= end.seq) return end;
  const recall = recallOf(entry);
  const mentions = mentionsOf(entry);
  return {
    ...{ q: end.q, pos, seq, ord },
    name: membershipOf(entry)?.name ?? end.name,
    recalled: recall ? mergeRecalled(end.recalled, [recall]) : end.recalled,
    mentionsOfAll: mentions?.all ? mergeRecalled(end.mentionsOfAll, [mentions.at]) : end.mentionsOfAll,
  };
}

/** What was followed while the other was read may be ahead of it or behind it. */
export function laterEnd(followed: End, read: End): End {
  const { q, pos, seq, ord } = read.seq > followed.seq ? read : followed;
  return {
    ...{ q, pos, seq, ord },
    name: followed.name || read.name,
    recalled: mergeRecalled(read.recalled, followed.recalled),
    mentionsOfAll: mergeRecalled(read.mentionsOfAll, followed.mentionsOfAll),
  };
}
