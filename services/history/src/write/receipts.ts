// Receipts: high-water marks of a member, forward only and never past the last seq.
import {
  AppError,
  limits,
  type ReceiptReply,
  type ReceiptRequest,
  type Receiver,
  recipientsOfAll,
} from "@parley/protocol";
import { infoOf } from "../fold/fold-entry.ts";
import { isMember, lastVisible, memberOrRefusal } from "../fold/members.ts";
import type { Member } from "../keep/store.ts";
import { presentIn } from "../rooms/room.ts";
import type { Conversation } from "./conversation.ts";
import { currentConversation, type Holding } from "./holding.ts";
import { startTimers } from "./start-timers.ts";

const sendersMax = 200;
const none: ReadonlySet<string> = new Set();
// Well below `overlapMs` of read/changed-marks.ts.
const noteEveryMs = 60_000;

/** Moves the marks and answers whom to tell: the senders of what is newly covered, and the user's own other devices. */
export async function receive(holding: Holding, request: ReceiptRequest): Promise<ReceiptReply | AppError> {
  const { conv, uid } = request;
  const conversation = await currentConversation(holding, conv);
  const asked = memberOrRefusal({ conv, member: conversation.members.get(uid), room: conversation.room }, request);
  if (asked instanceof AppError) return asked;
  const last = lastVisible(asked, conversation.lastSeq);
  const read = Math.min(request.read ?? 0, last);
  const isReading = read > asked.readSeq;
  const [readOrd] = await Promise.all([
    isReading ? ordAt(holding, conv, read) : 0,
    // Before the mark moves: a message that was read has its time, whoever dies when.
    isReading && conversation.hasUnreadTimers && startTimers(holding.store, { conv, uid, upTo: read }),
  ]);
  if (isReading) holding.pass("before-mark-moved");
  // Looked up again: no await stands between here and the change.
  const current = holding.shelf.get(conv) ?? conversation;
  const member = current.members.get(uid);
  if (!member) return { notice: noticeOf(asked), tell: [] };
  const before = { delivered: member.deliveredSeq, read: member.readSeq };
  const hasRead = read > member.readSeq;
  if (hasRead) Object.assign(member, { readSeq: read, readOrd });
  const delivered = Math.min(Math.max(request.delivered ?? 0, member.readSeq), last);
  member.deliveredSeq = Math.max(member.deliveredSeq, delivered);
  const moved = hasRead || member.deliveredSeq > before.delivered;
  if (!moved) return { notice: noticeOf(member), tell: [] };
  member.changedAt = Math.max(member.changedAt ?? 0, Date.now());
  holding.projection.touch([member]);
  const isTold = isMember(member) && presentIn(current) <= limits.smallRoomMembers;
  const [senders] = await Promise.all([
    isTold ? coveredSenders(holding, before, member) : [],
    putChange(holding, current, member),
  ]);
  if (hasRead) noteRead(holding, request, member);
  const others = await hearers(holding, { conv, uid, senders });
  const { users: tell, devices } = recipientsOfAll([member, ...others.filter((one) => one.uid !== uid)]);
  return { notice: noticeOf(member), tell, ...(devices.length > 0 && { devices }) };
}

// Behind the write: whoever is told and asks finds the mark there.
function noteRead({ readOn }: Holding, { clientId }: ReceiptRequest, { uid, conv, readSeq }: Member): void {
  readOn.note({ uid, conv, seq: readSeq, ...(clientId !== undefined && { clientId }) });
}

// Only at the end: what another holder was told before has come in with the write. Who has left meanwhile hears nothing more of
// the conversation, and of two of whom one has blocked the other neither hears of the other.
async function hearers(
  { shelf, blocks }: Holding,
  { conv, uid, senders }: { conv: string; uid: string; senders: readonly string[] },
): Promise<readonly Receiver[]> {
  if (senders.every((sender) => sender === uid)) return [];
  const apart = conv.startsWith("room/") ? await blocks.of(uid) : none;
  const { members, refused } = await shelf.load(conv);
  if (refused) return [];
  return [...new Set(senders)]
    .filter((sender) => !apart.has(sender))
    .flatMap((sender) => {
      const member = members.get(sender);
      return isMember(member) ? [member] : [];
    });
}

// In a room the change is noted once for all members, at most once a minute: a device that was away asks by minutes.
async function putChange({ projection }: Holding, conversation: Conversation, member: Member): Promise<void> {
  const { conv, changeNotedAt = 0 } = conversation;
  const now = Date.now();
  const isNoted = now - changeNotedAt < noteEveryMs || presentIn(conversation) > limits.smallRoomMembers;
  if (!conv.startsWith("room/") || isNoted) return projection.put({ members: [member], infos: [] });
  const info = { ...infoOf(conversation), changedAt: now };
  projection.touchInfo(info);
  await projection.put({ members: [member], infos: [info] });
  conversation.changeNotedAt = now;
}

// Of the marks that moved, the longer stretch covers the other.
async function coveredSenders(
  holding: Holding,
  before: { delivered: number; read: number },
  member: Member,
): Promise<string[]> {
  const stretches = [
    [before.delivered, member.deliveredSeq],
    [before.read, member.readSeq],
  ].filter(([from = 0, to = 0]) => to > from);
  const from = Math.min(...stretches.map(([start = 0]) => start));
  const to = Math.max(...stretches.map(([, end = 0]) => end));
  return holding.store.log.senders(member.conv, from, to, sendersMax);
}

async function ordAt({ store }: Holding, conv: string, seq: number): Promise<number> {
  const [entry] = await store.log.range(conv, { after: seq - 1, limit: 1 });
  return entry?.ord ?? 0;
}

function noticeOf({ conv, uid, deliveredSeq, readSeq }: Member): ReceiptReply["notice"] {
  return { type: "receipt", conv, uid, delivered: deliveredSeq, read: readSeq };
}
