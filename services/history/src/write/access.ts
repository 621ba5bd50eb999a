// What one user may see of a conversation, and the conversation as its holder knows it.
import { AppError, namedMembers, parseConv } from "@parley/protocol";
import { conversationPartition } from "@parley/protocol/partition";
import { newMember } from "../fold/members.ts";
import type { HistoryStore, Member } from "../keep/store.ts";
import type { Projection } from "../project/projection.ts";
import type { Conversation, Shelf } from "./conversation.ts";
import type { Partitions } from "./partitions.ts";
import { notMine } from "./writer.ts";

export interface Holding {
  store: HistoryStore;
  shelf: Shelf;
  partitions: Partitions;
  projection: Projection;
}

/** A conversation that is known to be as the log has it. Throws `unavailable` (not_mine) when this replica can't know. */
export async function currentConversation({ store, shelf, partitions }: Holding, conv: string): Promise<Conversation> {
  const q = conversationPartition(conv);
  const writer = partitions.writer(q);
  if (!writer) throw notMine();
  const { pos } = await store.log.last(q);
  // A commit may be under way: the log is ahead for a moment then, and what it has is this writer's all the same.
  for (let attempt = 0; attempt < 50; attempt++) {
    if (writer.pos >= pos) {
      const conversation = await shelf.load(conv);
      return shelf.get(conv) ?? conversation;
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw notMine();
}

/** The caller's member state, or what the caller is told instead. `lastSeq` is the conversation's. */
export function memberOrRefusal(
  { conv, lastSeq, member }: { conv: string; lastSeq: number; member: Member | undefined },
  uid: string,
): Member | AppError {
  if (member) return member;
  const parsed = parseConv(conv);
  if (!parsed) return new AppError("invalid_packet", "conv is not the name of a conversation");
  const named = namedMembers(parsed);
  if (named?.includes(uid)) return { ...newMember(conv, uid), stays: [[1, null]] };
  if (!named && lastSeq === 0) return new AppError("not_found", "no such conversation");
  return new AppError("not_member");
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
