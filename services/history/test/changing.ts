// A change of a room in memory: decided, and folded twice, as a fold may be done again.
import { AppError, type ChangeRequest, type MembershipEvent } from "@parley/protocol";
import { foldEntry } from "../src/fold/fold-entry.ts";
import { decideChange } from "../src/rooms/decide-change.ts";
import { changeEntry } from "../src/write/change.ts";
import type { Conversation } from "../src/write/conversation.ts";

export const now = 1_000;

/** The event that it came to; undefined: none. Or the refusal. */
export function change(conversation: Conversation, event: MembershipEvent, more: Partial<ChangeRequest> = {}) {
  const request: ChangeRequest = {
    conv: conversation.conv,
    id: `${event.event}`,
    device: "api",
    origin: "api",
    event,
    ...more,
  };
  const decided = decideChange(conversation, request, now);
  if (decided === undefined || decided instanceof AppError) return decided;
  const entry = changeEntry(conversation, conversation.lastSeq + 1, request, decided);
  conversation.lastSeq = entry.seq;
  foldEntry(conversation, entry);
  foldEntry(conversation, entry);
  return decided;
}
