// What one user may see of a conversation, as readers need it: the member, the visible range, unread.
import { AppError, namedMembers, parseConv } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import type { Conversation, Shelf } from "./conversation.ts";
import { newMember } from "./members.ts";
import type { Partitions } from "./partitions.ts";
import type { Projection } from "./projection.ts";
import { findAll, type HistoryStore, type Member } from "./store.ts";
import { isCurrent, notMine } from "./writer.ts";

export interface Reading {
  store: HistoryStore;
  shelf: Shelf;
  partitions: Partitions;
  projection: Projection;
}

/** A conversation that is known to be as the log has it. Throws `unavailable` (not_mine) when this replica can't know. */
export async function currentConversation(reading: Reading, conv: string): Promise<Conversation> {
  const writer = reading.partitions.writer(conversationPartition(conv));
  if (!writer) throw notMine();
  const conversation = await reading.shelf.load(conv);
  // A commit may be under way: then the log is ahead for a moment and its end is this writer's all the same.
  for (let attempt = 0; attempt < 50; attempt++) {
    if (await isCurrent(writer)) return reading.shelf.get(conv) ?? conversation;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw notMine();
}

/** The caller's member state, or what the caller is told instead. */
export function memberOrRefusal(conversation: Conversation, uid: string): Member | AppError {
  const member = conversation.members.get(uid);
  if (member) return member;
  const parsed = parseConv(conversation.conv);
  if (!parsed) return new AppError("invalid_packet", "conv is not the name of a conversation");
  const named = namedMembers(parsed);
  if (named?.includes(uid)) return { ...newMember(conversation.conv, uid), stays: [[1, null]] };
  if (!named && conversation.lastSeq === 0) return new AppError("not_found", "no such conversation");
  return new AppError("not_member");
}

/** Every membership of a user, the store's and what it does not have yet. */
export async function membershipsOf({ store, projection }: Reading, uid: string): Promise<Map<string, Member>> {
  const memberships = new Map<string, Member>();
  for (const member of await findAll(store.members, "by_uid", uid)) memberships.set(member.conv, member);
  for (const [conv, member] of projection.pendingOf(uid)) memberships.set(conv, member);
  return memberships;
}

/** The last seq of a conversation this member may see. */
export function lastVisible(member: Member, lastSeq: number): number {
  const stay = member.stays.at(-1);
  return stay ? Math.min(lastSeq, stay[1] ?? lastSeq) : 0;
}

/** DESIGN §4.8: counted messages by others after the member's marks; `lastOrd` is the conversation's. */
export function unreadOf(member: Member, lastOrd: number): number {
  const seen = Math.max(member.joinOrd, member.deletedOrd, member.readOrd, member.sentOrd);
  const end = Math.min(lastOrd, member.leftOrd ?? lastOrd);
  return Math.max(0, end - seen);
}
