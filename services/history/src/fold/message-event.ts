// What the log keeps in the `event` of a message besides its body: whom it mentions, which message it answers, whose thread it is in.
import type { AppendItem } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { mentionEvent } from "./mentions.ts";

/** null for most. */
export function messageEvent({
  mentions,
  reply,
  thread,
}: Pick<AppendItem, "mentions" | "reply" | "thread">): LogEntry["event"] {
  if (!mentions && reply === undefined && thread === undefined) return null;
  return {
    ...(mentions ? mentionEvent(mentions) : { event: "message" }),
    ...(reply !== undefined && { reply }),
    ...(thread !== undefined && { thread }),
  };
}

/** The seq of the message whose thread an entry is in. */
export function threadOf({ event }: Pick<LogEntry, "event">): number | undefined {
  return event?.thread as number | undefined;
}

/** The seq of the message that an entry answers. */
export function replyOf({ event }: Pick<LogEntry, "event">): number | undefined {
  return event?.reply as number | undefined;
}
