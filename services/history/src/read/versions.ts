// Which entries say what a message holds, and which of its edits a member may read.
import type { LogEntry } from "@parley/store";
import { mayRead } from "../fold/members.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { HistoryStore, Member } from "../keep/store.ts";

/** The entry at `seq`, if there is one. */
export async function entryAt(
  { log }: Pick<HistoryStore, "log">,
  conv: string,
  seq: number | undefined,
): Promise<LogEntry | undefined> {
  if (seq === undefined) return undefined;
  return (await log.range(conv, { after: seq - 1, before: seq + 1, limit: 1 }))[0];
}

/** Seqs of the edits of a message that the member may read, oldest first. */
export function visibleEdits(member: Member, { edits }: Annotations): number[] {
  return edits.filter((seq) => mayRead(member, seq));
}
