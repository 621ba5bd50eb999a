// What the log keeps in the `event` of a message besides its body: whom it mentions and which message it answers.
import type { AppendItem } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { mentionEvent } from "./mentions.ts";

/** null for most. */
export function messageEvent({ mentions, reply }: Pick<AppendItem, "mentions" | "reply">): LogEntry["event"] {
  if (!mentions && reply === undefined) return null;
  return { ...(mentions ? mentionEvent(mentions) : { event: "message" }), ...(reply !== undefined && { reply }) };
}

/** The seq of the message that an entry answers. */
export function replyOf({ event }: LogEntry): number | undefined {
  return event?.reply as number | undefined;
}
