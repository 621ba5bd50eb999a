// Who may change who is in a room, and the event that a change comes to: decided on the log's own state.
import { AppError, type ChangeRequest, limits, type MembershipEvent } from "@parley/protocol";
import { isMember } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import type { Conversation } from "./conversation.ts";

/** The event that a change comes to, undefined when it changes nothing, or the refusal. Decided on the log's own state. */
export function decideChange(
  conversation: Conversation,
  request: ChangeRequest,
): MembershipEvent | undefined | AppError {
  const { event } = request;
  if (event.event === "create") {
    if (conversation.lastSeq > 0) return new AppError("conflict", "the room exists already");
    return { ...event, uids: [...new Set(event.uids)].filter((uid) => uid !== event.by) };
  }
  if (conversation.lastSeq === 0) return new AppError("not_found", "no such room");
  const by = conversation.members.get(event.by);
  if (event.event === "join") {
    if (isMember(by)) return undefined;
    if (!request.open) return new AppError("forbidden", "this room takes members by invitation only");
    return roomFor(conversation, [event.by], { event: "join", by: event.by, uids: [event.by] });
  }
  if (!isMember(by)) return new AppError("not_member", "only members may change who is in the room");
  if (event.event === "leave") return leave(conversation, by);
  if (by.role === "member") return new AppError("forbidden", "only owners and admins may invite and remove members");
  if (event.event === "invite") return invite(conversation, event);
  if (event.event === "remove") return remove(conversation, event, by);
  return new AppError("invalid_packet", `unknown change ${JSON.stringify(event.event)}`);
}

function invite(conversation: Conversation, event: MembershipEvent): MembershipEvent | undefined | AppError {
  const uids = [...new Set(event.uids)].filter((uid) => !isMember(conversation.members.get(uid)));
  if (uids.length === 0) return undefined;
  return roomFor(conversation, uids, { event: "invite", by: event.by, uids });
}

function remove(
  conversation: Conversation,
  event: MembershipEvent,
  by: Member,
): MembershipEvent | undefined | AppError {
  const present = [...new Set(event.uids)].map((uid) => conversation.members.get(uid)).filter(isMember);
  if (present.length === 0) return undefined;
  if (present.some(({ uid }) => uid === by.uid)) return new AppError("forbidden", "use rooms.leave to leave a room");
  if (by.role === "admin" && present.some(({ role }) => role === "owner"))
    return new AppError("forbidden", "an admin may not remove an owner");
  return { event: "remove", by: event.by, uids: present.map(({ uid }) => uid) };
}

// A room keeps an owner: the longest-standing admin, else member, follows the last one who leaves.
function leave(conversation: Conversation, by: Member): MembershipEvent {
  const event: MembershipEvent = { event: "leave", by: by.uid, uids: [by.uid] };
  const others = [...conversation.members.values()].filter((member) => member !== by && isMember(member));
  if (by.role !== "owner" || others.length === 0 || others.some(({ role }) => role === "owner")) return event;
  const byAge = others.sort((a, b) => rank(a) - rank(b) || joinedAt(a) - joinedAt(b) || (a.uid < b.uid ? -1 : 1));
  return { ...event, owner: byAge[0]!.uid };
}

function rank({ role }: Member): number {
  return role === "admin" ? 0 : 1;
}

function joinedAt(member: Member): number {
  return member.stays.at(-1)?.[0] ?? 0;
}

function roomFor(conversation: Conversation, uids: string[], event: MembershipEvent): MembershipEvent | AppError {
  const present = [...conversation.members.values()].filter(isMember).length;
  if (present + uids.length <= limits.roomMembers) return event;
  return new AppError("conflict", `the room is full: ${limits.roomMembers} members`);
}
