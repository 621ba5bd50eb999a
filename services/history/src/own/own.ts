// How any replica changes what a member keeps for itself: in the member's document, forward only, so that the holder and
// others who write it at once take nothing back. All devices of the user are told.
import {
  AppError,
  type ConversationNotice,
  type DraftNotice,
  noConversation,
  type Receiver,
  type StarNotice,
  type ThreadNotice,
} from "@parley/protocol";
import type { Pass } from "@parley/runtime";
import type { Asker } from "../fold/devices.ts";
import { type Member, memberKey } from "../keep/store.ts";
import { advance, copyMember } from "../project/advance.ts";
import { ownStateOf } from "../read/own-state.ts";
import { memberOf, type Reading, readerOf } from "../read/reading.ts";
import type { Shelf } from "../write/conversation.ts";

export interface Owning extends Reading {
  shelf: Shelf;
  /** Marks a point where a test can end the process. */
  pass: Pass;
  /** Tells the devices of a user that are connected, of a room those that are in it. Others have it by `sync`, or ask. */
  tell(to: Receiver, notice: ConversationNotice | StarNotice | DraftNotice | ThreadNotice): void;
}

const roundsMax = 20;

/** The devices of a user that are told of what is the user's own in a conversation. */
export async function receiverIn(owning: Pick<Owning, "store">, conv: string, uid: string): Promise<Receiver> {
  return (await memberOf(owning, conv, uid)) ?? { uid };
}

/** `change` moves a copy of the member, and may be asked again; or answers why not. `lastSeq` is the conversation's. */
export async function changeOwn(
  owning: Owning,
  { conv, asker }: { conv: string; asker: Asker },
  change: (member: Member, lastSeq: number) => Promise<AppError | undefined> | AppError | undefined,
): Promise<Member | AppError> {
  const { store, shelf, tell } = owning;
  const { uid } = asker;
  const key = memberKey(conv, uid);
  for (let round = 0; round < roundsMax; round++) {
    const stored = await store.members.get(key);
    const asked = await readerOf(owning, { conv, asker, known: stored?.doc });
    if (asked instanceof AppError) return asked;
    const lastSeq = (await store.log.heads([conv])).get(conv)?.seq ?? 0;
    if (!stored) return noConversation(conv);
    const member = copyMember(stored.doc);
    const refused = await change(member, lastSeq);
    if (refused) return refused;
    member.changedAt = Math.max(member.changedAt ?? 0, Date.now());
    if (!(await store.members.update(key, member, stored.version))) continue;
    const inMemory = shelf.get(conv)?.members.get(uid);
    if (inMemory) advance(inMemory, member);
    tell(member, { type: "conversation", conv, own: ownStateOf(member) });
    return member;
  }
  return new AppError("unavailable", "the conversation changed again and again meanwhile");
}
