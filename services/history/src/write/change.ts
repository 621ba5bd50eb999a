// A membership change as an entry of the log, and the message its members see.
import { type ChangeReply, type ChangeRequest, type MembershipEvent, toOf } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { membershipOf } from "../fold/fold-entry.ts";
import { keepsMembers } from "../rooms/decide-change.ts";
import type { Conversation } from "./conversation.ts";

const encoder = new TextEncoder();

/** The entry at `pos` that carries a decided change. */
export function changeEntry(
  { conv, q, lastSeq, lastOrd, lastTs, memberSeq }: Conversation,
  pos: number,
  { id, device, origin }: ChangeRequest,
  event: MembershipEvent,
): LogEntry {
  const seq = lastSeq + 1;
  const packet = { id, to: toOf(event.by, conv), type: "grpchat", content: { type: "event", data: shownEvent(event) } };
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
    memberSeq: keepsMembers(event) ? memberSeq : seq,
    body: encoder.encode(JSON.stringify(packet)),
  };
}

// Invite links are for owners and admins; the list of pins names messages of before a reader's stay.
function shownEvent({ pins: _pins, ...event }: MembershipEvent): MembershipEvent {
  if (!event.room?.links) return event;
  const { links: _, ...room } = event.room;
  return { ...event, room };
}

/** What is answered to who asked for the change. */
export function replyOf(
  { seq, ts }: LogEntry,
  { event, uids, invited, devices, way, rooms }: MembershipEvent,
): ChangeReply {
  if (event === "ask") return { seq, ts, changed: [], asking: true };
  const changed = { seq, ts, changed: uids, ...(invited ? { invited } : {}), ...(rooms ? { rooms } : {}) };
  if (way === "in") return { ...changed, more: uids };
  const more = Object.keys(devices ?? {}).filter((uid) => !uids.includes(uid) && !invited?.includes(uid));
  return more.length === 0 ? changed : { ...changed, changed: [...uids, ...more], more };
}

/** The membership event of an entry; a message that took the same key changed nobody. */
export function eventOf(entry: LogEntry): MembershipEvent {
  return membershipOf(entry) ?? { event: "invite", by: entry.from, uids: [] };
}
