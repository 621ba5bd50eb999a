// May this message be in the thread that it names? And who follows a thread without having asked for it.
import { type AppendItem, type AppendOutcome, limits } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { mayRead } from "../fold/members.ts";
import { threadOf } from "../fold/message-event.ts";
import type { Annotations } from "../keep/annotations.ts";
import type { Member, ThreadMark } from "../keep/store.ts";
import { refusal } from "./outcome.ts";

/** `reader`: the sender, in a room; of two each reads all there is. */
export function refuseThread(
  { thread }: AppendItem,
  about: LogEntry | undefined,
  annotations: Annotations,
  reader: Member | undefined,
): AppendOutcome | undefined {
  if (thread === undefined) return undefined;
  if (!about || !isCounted(about) || (reader && !mayRead(reader, thread)))
    return refusal("not_found", `there is no message ${thread} to begin a thread here`);
  if (annotations.recall) return refusal("not_found", `message ${thread} was recalled`);
  const first = threadOf(about);
  if (first !== undefined) return refusal("invalid_packet", `message ${thread} is in the thread ${first}: name that`);
  if ((annotations.thread?.length ?? 0) < limits.threadMessages) return undefined;
  return refusal("conflict", `the thread ${thread} has ${limits.threadMessages} messages, the most there may be`);
}

/** Whoever wrote in a thread, and whose message it is about, follows it. Empty for who has done so before. */
export function followersBy(
  { conv, from, ts }: LogEntry,
  { from: author }: LogEntry,
  { seq, thread = [] }: Annotations,
): ThreadMark[] {
  const uids = thread.some(([, uid]) => uid === from) ? [] : [from];
  if (thread.length === 0 && author !== from) uids.push(author);
  return uids.map((uid) => ({ conv, seq, uid, following: true, readSeq: 0, changedAt: ts }));
}
