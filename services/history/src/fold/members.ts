// Membership as the log has it: who is a member, what a member may read, and how much of it is unread.
import {
  AppError,
  isJoinable,
  isThereWith,
  namedMembers,
  noConversation,
  parseConv,
  type RoomState,
  type Standing,
} from "@parley/protocol";
import type { Member, Recalled } from "../keep/store.ts";
import { type Asker, asSeenWith } from "./devices.ts";

/** True while it may write or read what comes. */
export function isMember(member: Member | undefined): member is Member {
  return member !== undefined && isPresent(member);
}

/** The same of a member that is known. */
export function isPresent({ stays, mode }: Member): boolean {
  return stays.at(-1)?.[1] === null || mode === "write";
}

/** What a device is told whose user is there with others. */
export function thereWithOthers(): AppError {
  return new AppError("not_member", "you are in this room with other devices only");
}

/** How somebody who is no member stands to a room. */
export function standingOf(member: Member): Standing | undefined {
  if (isPresent(member)) return undefined;
  return member.banned ? "banned" : member.pending?.as;
}

/** True if message `seq` belongs to one of the member's stays. */
export function mayRead(member: Member, seq: number): boolean {
  return member.stays.some(([joinSeq, leftSeq]) => joinSeq <= seq && (leftSeq === null || seq <= leftSeq));
}

export function newMember(conv: string, uid: string): Member {
  return {
    conv,
    uid,
    role: "member",
    stays: [],
    joinOrd: 0,
    appliedSeq: 0,
    readSeq: 0,
    readOrd: 0,
    deliveredSeq: 0,
    sentSeq: 0,
    sentOrd: 0,
    deletedTo: 0,
    deletedOrd: 0,
    muted: false,
    pinned: false,
  };
}

/** A conversation as it is asked for: what is known of the asker, and of the room, if it is one. */
interface Asked {
  conv: string;
  member: Member | undefined;
  room: RoomState | undefined;
}

/** The caller's member state, or what the caller is told instead. */
export function memberOrRefusal(asked: Asked, { uid, clientId }: Asker): Member | AppError {
  const { conv, member } = asked;
  if (member && member.stays.length > 0)
    return isThereWith(member, clientId) ? asSeenWith(member, clientId) : thereWithOthers();
  const parsed = parseConv(conv);
  if (!parsed) return new AppError("invalid_packet", "conv is not the name of a conversation");
  const named = namedMembers(parsed);
  if (named?.includes(uid)) return { ...newMember(conv, uid), stays: [[1, null]] };
  return named ? new AppError("not_member") : outsideOf(asked);
}

/** May who is no member write and read there? In a topic of guests everybody but who is banned. */
export function isOpenTo(room: RoomState | undefined, member: Member | undefined): boolean {
  return room?.guests === true && !room.deleted && !member?.banned;
}

/** What is told to who is not in a room: that it is there only to whom it is shown, or who had to do with it. */
export function outsideOf({ conv, member, room }: Asked): AppError {
  const isKnown = member !== undefined && !room?.deleted;
  return isKnown || isJoinable(room) ? new AppError("not_member") : noConversation(conv);
}

/** True if the member sees message `seq`: it is of one of the stays, and the member has not deleted it for itself. */
export function sees(member: Member, seq: number): boolean {
  if (!mayRead(member, seq) || seq <= member.deletedTo) return false;
  return !member.hidden?.some(([hidden]) => hidden === seq);
}

/** The first seq above `after` that the member sees, if a message is there; MAX_SAFE_INTEGER: there will be none. */
export function seenAbove({ stays, deletedTo, hidden }: Member, after: number): number {
  const unseen = new Set(hidden?.map(([seq]) => seq));
  let seq = Math.max(after, deletedTo) + 1;
  for (const [joinSeq, leftSeq] of stays) {
    seq = Math.max(seq, joinSeq);
    while (unseen.has(seq)) seq++;
    if (seq <= (leftSeq ?? seq)) return seq;
  }
  return Number.MAX_SAFE_INTEGER;
}

/** The last seq below `before` that the member sees, if a message is there; 0: there is none. */
export function seenBelow({ stays, deletedTo, hidden }: Member, before: number): number {
  const unseen = new Set(hidden?.map(([seq]) => seq));
  let seq = before - 1;
  for (const [joinSeq, leftSeq] of stays.toReversed()) {
    seq = Math.min(seq, leftSeq ?? seq);
    while (unseen.has(seq)) seq--;
    if (seq >= joinSeq) return seq > deletedTo ? seq : 0;
  }
  return 0;
}

/** The last seq of a conversation this member may see. */
export function lastVisible(member: Member, lastSeq: number): number {
  const stay = member.stays.at(-1);
  return stay ? Math.min(lastSeq, stay[1] ?? lastSeq) : 0;
}

/**
 * Unread: counted messages by others after the member's marks that were not recalled; `lastOrd` is the conversation's.
 * Nor were deleted by the member. What the member sent itself lies before its own mark, so that all others are by others.
 */
export function unreadOf(member: Member, lastOrd: number, recalled: readonly Recalled[]): number {
  const seen = Math.max(member.joinOrd, member.deletedOrd, member.readOrd, member.sentOrd);
  const end = Math.min(lastOrd, member.leftOrd ?? lastOrd);
  const isUnread = ([, ord]: Recalled) => ord > seen && ord <= end;
  const hidden = member.hidden?.filter((one) => isUnread(one) && !recalled.some(([seq]) => seq === one[0])) ?? [];
  return Math.max(0, end - seen - recalled.filter(isUnread).length - hidden.length);
}
