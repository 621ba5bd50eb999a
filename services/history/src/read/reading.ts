// How any replica reads rightly, holder or not: marks, then documents, then the ends of the log, then what lies between.
import { type AppError, isThereWith } from "@parley/protocol";
import { conversationPartition, conversationPartitionCount } from "@parley/protocol/partition";
import type { LogEntry } from "@parley/store";
import { type Asker, asSeenWith } from "../fold/devices.ts";
import { isOpenTo, memberOrRefusal, newMember } from "../fold/members.ts";
import { foldMember } from "../fold/tail.ts";
import type { Tails } from "../fold/tails.ts";
import { type ConversationInfo, findAll, type HistoryStore, type Member, memberKey } from "../keep/store.ts";
import { advance } from "../project/advance.ts";
import type { Marks } from "../project/marks.ts";
import type { Projection } from "../project/projection.ts";
import type { Partitions } from "../write/partitions.ts";
import type { DirectMessages } from "../write/refused.ts";
import type { Ends } from "./ends/ends.ts";

export interface Reading {
  store: HistoryStore;
  partitions: Partitions;
  projection: Projection;
  marks: Marks;
  tails: Tails;
  /** whose messages users take who say nothing else */
  direct: DirectMessages;
  ends: Ends;
}

/** A member of a conversation, and the conversation's last entry; without one it has no message yet. */
export interface View {
  member: Member;
  head: LogEntry | undefined;
}

/** The same where all that matters is how far the conversation is. */
export interface Placed {
  member: Member;
  head: Pick<LogEntry, "pos"> | undefined;
}

/** Documents that were read, and what was known before: `complete` needs it to make them complete. */
export interface Sight {
  /** Everything up to here was in the documents when they were read. */
  folded(q: number): number;
  /** `projection.settled` of each partition before they were read */
  settled: Uint32Array;
}

/** Begins a look at the store: before its documents are read. */
export async function look({ marks, projection }: Reading): Promise<Sight> {
  const folded = await marks.folded();
  const settled = new Uint32Array(conversationPartitionCount);
  for (let q = 0; q < settled.length; q++) settled[q] = projection.settled(q);
  return { folded, settled };
}

/** The index of what may be in a user's lists, once all documents are in it. */
function listIndex({ readers }: Pick<HistoryStore, "readers">): "by_reader" | "by_uid" {
  return readers.areNoted ? "by_reader" : "by_uid";
}

/**
 * The memberships of a user, past ones too, of which something may be read. Documents alone are right about who is a member: no commit that changes it is answered or
 * followed by another before they have it.
 */
export async function membershipsOf({ store }: Reading, { uid, clientId }: Asker): Promise<Member[]> {
  return seenBy(await findAll(store.members, listIndex(store), uid), clientId);
}

/** The same with all devices, for who asks often: they are kept, and may only be moved forward, as the log says. */
export function keptMembershipsOf({ store }: Reading, uid: string): Promise<readonly Member[]> {
  return store.memberships.of(uid, () => findAll(store.members, listIndex(store), uid));
}

// Without those in which the user is with other devices.
function seenBy(members: Member[], clientId: string | undefined): Member[] {
  return members.filter((member) => isThereWith(member, clientId)).map((member) => asSeenWith(member, clientId));
}

/**
 * The same in the order of the conversations' names, from behind `after` on, as many at a time as `count` says. `all`: also
 * rooms that it is invited to, banned from or asks to be let into.
 */
export async function* membershipPages(
  { store }: Reading,
  { asker, after, count, all }: { asker: Asker; after: string | undefined; count: () => number; all?: boolean },
): AsyncGenerator<Member[]> {
  const query = {
    index: all ? "by_uid" : listIndex(store),
    equals: [asker.uid],
    ...(after === undefined ? {} : { after }),
  };
  for (let page: string | null | undefined; page !== null; ) {
    const answer = await store.members.find({ ...query, limit: count(), ...(page === undefined ? {} : { page }) });
    page = answer.next;
    yield seenBy(
      answer.items.map(({ doc }) => doc),
      asker.clientId,
    );
  }
}

/** What is known of these conversations besides their logs and members; read after their heads. */
export async function infosOf(
  { store }: Reading,
  views: readonly View[],
): Promise<ReadonlyMap<string, ConversationInfo>> {
  if (views.length === 0) return new Map();
  const infos = await store.infos.getMany(views.map(({ member }) => member.conv));
  return new Map([...infos].map(([conv, { doc }]) => [conv, doc]));
}

export async function memberOf(
  { store }: Pick<Reading, "store">,
  conv: string,
  uid: string,
): Promise<Member | undefined> {
  return (await store.members.get(memberKey(conv, uid)))?.doc;
}

/**
 * The caller as a reader of a conversation, `known` its document; or what the caller is told instead. `passing`: it is read once, and
 * nothing is kept of the reader: then a room that is open to guests may be read by all.
 */
export async function readerOf(
  { store }: Pick<Reading, "store">,
  { conv, asker, known, passing }: { conv: string; asker: Asker; known: Member | undefined; passing?: true },
): Promise<Member | AppError> {
  const isIn = known !== undefined && known.stays.length > 0 && isThereWith(known, asker.clientId);
  // Only who is none is told by what the room is.
  const room = isIn ? undefined : (await store.infos.get(conv))?.doc.room;
  if (passing && isOpenTo(room, known)) return { ...newMember(conv, asker.uid), stays: [[1, null]] };
  return memberOrRefusal({ conv, member: known, room }, asker);
}

/**
 * Completes members whose documents were read, and whose heads were read after them, with what the log has behind the
 * marks: a user's own last messages, so that unread is right. The partition's holder knows it; others read the tail.
 */
export async function complete(reading: Reading, sight: Sight, views: readonly Placed[]): Promise<void> {
  const missing = new Map<number, { views: Placed[]; to: number }>();
  for (const view of views) {
    const q = conversationPartition(view.member.conv);
    const to = view.head?.pos ?? 0;
    if (to <= sight.folded(q) || fromPending(reading, sight, q, view)) continue;
    const wanted = missing.get(q) ?? { views: [], to: 0 };
    wanted.views.push(view);
    wanted.to = Math.max(wanted.to, to);
    missing.set(q, wanted);
  }
  await Promise.all([...missing].map(([q, wanted]) => fromTail(reading, sight.folded(q), q, wanted)));
}

// This replica's writer has folded the log up to there: what the documents lack is pending here, unless it was put after
// they were read.
function fromPending(
  { partitions, projection }: Reading,
  { settled }: Sight,
  q: number,
  { member, head }: Placed,
): boolean {
  const writer = partitions.writer(q);
  if (!writer || writer.pos < (head?.pos ?? 0) || projection.settled(q) !== settled[q]) return false;
  const pending = projection.pending(member.conv, member.uid);
  if (pending) advance(member, pending);
  return true;
}

async function fromTail(
  { tails }: Reading,
  from: number,
  q: number,
  { views, to }: { views: readonly Placed[]; to: number },
): Promise<void> {
  const { conversations } = await tails.read(q, from, to);
  for (const { member } of views) {
    const tail = conversations.get(member.conv);
    if (tail) foldMember(tail, member);
  }
}
