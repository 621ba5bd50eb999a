// messages.receipts: how far a message came, from the marks of all its members, as the holder has them in memory.
import { AppError, limits, type MessageReceiptsRequest, type messagesReceipts, type ResultOf } from "@parley/protocol";
import { isCounted } from "../fold/fold-entry.ts";
import { isMember, mayRead, memberOrRefusal, sees } from "../fold/members.ts";
import { annotationsKey } from "../keep/annotations.ts";
import { entryAt } from "../keep/entry-at.ts";
import { isOver } from "../keep/timers.ts";
import { currentConversation, type Holding } from "../write/holding.ts";

type Receipts = ResultOf<typeof messagesReceipts>;

export async function messageReceipts(
  holding: Holding,
  { conv, seq, uid }: MessageReceiptsRequest,
): Promise<Receipts | AppError> {
  const { lastSeq, members, refused } = await currentConversation(holding, conv);
  const member = memberOrRefusal({ conv, lastSeq, member: members.get(uid) }, uid);
  if (member instanceof AppError) return member;
  const { store } = holding;
  const [entry, said] = await Promise.all([
    entryAt(store, conv, seq),
    store.annotations.get(annotationsKey(conv, seq)),
  ]);
  if (!entry || !isCounted(entry) || isOver(entry, Date.now()) || !sees(member, seq) || said?.doc.recall)
    return new AppError("not_found", `there is no message ${seq} here`);
  const counts = { of: 0, delivered: 0, read: 0 };
  const receipts: NonNullable<Receipts["receipts"]> = [];
  let present = 0;
  for (const one of members.values()) {
    if (!isMember(one)) continue;
    present += 1;
    if (one.uid === entry.from || !mayRead(one, seq)) continue;
    // What a blocked user does reaches the other one no more.
    const isShown = one.uid === uid || !refused?.has(one.uid);
    const row = { uid: one.uid, delivered: isShown && one.deliveredSeq >= seq, read: isShown && one.readSeq >= seq };
    counts.of += 1;
    counts.delivered += row.delivered ? 1 : 0;
    counts.read += row.read ? 1 : 0;
    if (receipts.length < limits.smallRoomMembers) receipts.push(row);
  }
  if (present > limits.smallRoomMembers) return counts;
  return { ...counts, receipts: receipts.sort((a, b) => (a.uid < b.uid ? -1 : 1)) };
}
