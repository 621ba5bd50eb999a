// How far the other members of conversations came, as sync answers it: who is present, where there are few, and nothing
// between two of whom one has blocked the other.
import { limits, namedMembers, parseConv } from "@parley/protocol";
import { isPresent } from "../fold/members.ts";
import { type ConversationInfo, type HistoryStore, type Member, memberKey } from "../keep/store.ts";
import { blocksOf } from "../write/blocks.ts";
import { apartFrom } from "../write/refused.ts";
import type { Reading, View } from "./reading.ts";

export interface Receipt {
  uid: string;
  delivered: number;
  read: number;
}

const none: ReadonlySet<string> = new Set();
const membersAtOnce = 250;
/** Of a room where many came and went: documents that are looked at for those who are there. */
const lookedMax = 2_000;

/** By conversation. Where its name tells who they are, they are read together. */
export async function receiptsOf(
  { store, direct }: Reading,
  uid: string,
  views: readonly View[],
  infos: ReadonlyMap<string, ConversationInfo>,
): Promise<Map<string, Receipt[]>> {
  const convs = views.map(({ member }) => member).filter(isPresent);
  const named = convs.flatMap(({ conv }) => otherOf(conv, uid) ?? []);
  const rooms = convs.map(({ conv }) => conv).filter((conv) => conv.startsWith("room/"));
  const [apart, blocks, others, ...found] = await Promise.all([
    apartFrom(store, uid, { others: named.map(({ other }) => other), direct }),
    rooms.length > 0 ? blocksOf(store, uid) : none,
    store.members.getMany(named.map(({ conv, other }) => memberKey(conv, other))),
    ...rooms.map((conv) => presentMembers(store, conv, infos.get(conv)?.size?.members)),
  ]);
  const heard = [...others.values()].map(({ doc }) => doc).filter((member) => !apart.has(member.uid));
  const present = found.flat().filter((member) => !blocks.has(member.uid));
  const receipts = new Map<string, Receipt[]>(convs.map(({ conv }) => [conv, []]));
  for (const { conv, uid: other, deliveredSeq, readSeq } of [...heard, ...present])
    if (other !== uid && deliveredSeq > 0)
      receipts.get(conv)?.push({ uid: other, delivered: deliveredSeq, read: readSeq });
  return receipts;
}

function otherOf(conv: string, uid: string): { conv: string; other: string } | undefined {
  const parsed = parseConv(conv);
  const other = parsed && namedMembers(parsed)?.find((one) => one !== uid);
  return other === undefined ? undefined : { conv, other };
}

// Of a larger room nobody. `size`: how many there are; a version before did not count.
async function presentMembers(
  { members }: HistoryStore,
  conv: string,
  size = Number.POSITIVE_INFINITY,
): Promise<Member[]> {
  const most = limits.smallRoomMembers;
  if (Number.isFinite(size) && size > most) return [];
  const present: Member[] = [];
  let page: string | null | undefined;
  for (let looked = 0; page !== null && looked < lookedMax && present.length < size; ) {
    const query = { index: "by_conv", equals: [conv], limit: membersAtOnce, ...(page === undefined ? {} : { page }) };
    const answer = await members.find(query);
    looked += answer.items.length;
    page = answer.next;
    present.push(...answer.items.map(({ doc }) => doc).filter(isPresent));
    if (present.length > most) return [];
  }
  return present;
}
