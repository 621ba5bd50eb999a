// A membership change as an entry of the log, and the message its members see.
import type { ChangeRequest, MembershipEvent } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { membershipOf } from "../fold/fold-entry.ts";
import type { Conversation } from "./conversation.ts";

const encoder = new TextEncoder();

/** The entry at `pos` that carries a decided change. */
export function changeEntry(
  { conv, q, lastSeq, lastOrd, lastTs }: Conversation,
  pos: number,
  { id, device, origin }: ChangeRequest,
  event: MembershipEvent,
): LogEntry {
  const seq = lastSeq + 1;
  const packet = { id, to: conv, type: "grpchat", content: { type: "event", data: event } };
  return {
    q,
    pos,
    conv,
    seq,
    ord: lastOrd,
    from: event.by,
    device,
    id,
    type: "event",
    ts: Math.max(lastTs, Date.now()),
    origin,
    event: { ...event },
    memberSeq: seq,
    body: encoder.encode(JSON.stringify(packet)),
  };
}

/** The membership event of an entry; a message that took the same key changed nobody. */
export function eventOf(entry: LogEntry): MembershipEvent {
  return membershipOf(entry) ?? { event: "invite", by: entry.from, uids: [] };
}
