// messages.receipts: how far a message came, from the marks of all its members, as the holder has them in memory.
import { AppError, limits, type MessageReceiptsRequest, type messagesReceipts, type ResultOf } from "@parley/protocol";
import type { LogEntry } from "@parley/store";
import { isCounted } from "../fold/fold-entry.ts";
import { isMember, mayRead, memberOrRefusal, sees } from "../fold/members.ts";
import { annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { Member } from "../keep/store.ts";
import { isOver } from "../keep/timers.ts";
import { currentConversation, type Holding } from "../write/holding.ts";

type Receipts = ResultOf<typeof messagesReceipts>;

export async function messageReceipts(holding: Holding, request: MessageReceiptsRequest): Promise<Receipts | AppError> {
  const { conv, seq, uid } = request;
  const { members, refused, room } = await currentConversation(holding, conv);
  const member = memberOrRefusal({ conv, member: members.get(uid), room }, request);
  if (member instanceof AppError) return member;
  // Nothing says when a mark moved: who has left would be told of what came after.
  if (!isMember(member)) return new AppError("not_member");
  const { store, blocks } = holding;
  const [entry, said, apart] = await Promise.all([
    entryAt(store, conv, seq),
    store.annotations.get(annotationsKey(conv, seq)),
    blocks.of(uid),
  ]);
  if (!entry || !isCounted(entry) || isOver(entry, Date.now()) || !sees(member, seq) || said?.doc.recall)
    return new AppError("not_found", `there is no message ${seq} here`);
  // Of two of whom one does not take the other's messages neither is shown how far the other came.
  const isShown = (other: string) => other === uid || !(refused || apart.has(other));
  return marksOf(members.values(), entry, isShown);
}

function marksOf(
  members: Iterable<Member>,
  { seq, from }: Pick<LogEntry, "seq" | "from">,
  isShown: (uid: string) => boolean,
): Receipts {
  const counts = { of: 0, delivered: 0, read: 0 };
  const receipts: NonNullable<Receipts["receipts"]> = [];
  let present = 0;
  for (const one of members) {
    if (!isMember(one)) continue;
    present += 1;
    const { uid, deliveredSeq, readSeq } = one;
    if (uid === from || !mayRead(one, seq)) continue;
    const row = { uid, delivered: isShown(uid) && deliveredSeq >= seq, read: isShown(uid) && readSeq >= seq };
    counts.of += 1;
    counts.delivered += row.delivered ? 1 : 0;
    counts.read += row.read ? 1 : 0;
    if (receipts.length < limits.smallRoomMembers) receipts.push(row);
  }
  if (present > limits.smallRoomMembers) return counts;
  return { ...counts, receipts: receipts.sort((a, b) => (a.uid < b.uid ? -1 : 1)) };
}
