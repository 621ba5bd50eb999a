// messages.delete: what a user deleted for itself is in none of its pages any more, and does not count as unread.
import { AppError, type Caller, limits, type messagesDelete, type OwnState, type ParamsOf } from "@parley/protocol";
import { isCounted } from "../fold/fold-entry.ts";
import { lastVisible, sees } from "../fold/members.ts";
import { entryAt } from "../keep/entry-at.ts";
import type { Member, Recalled } from "../keep/store.ts";
import { ownStateOf } from "../read/own-state.ts";
import { changeOwn, type Owning } from "./own.ts";

export async function deleteMessages(
  owning: Owning,
  { conv, upTo, seqs }: ParamsOf<typeof messagesDelete>,
  caller: Caller,
): Promise<OwnState | AppError> {
  if ((upTo === undefined) === (seqs === undefined))
    return new AppError("invalid_packet", "give upTo, or seqs, and not both");
  const changed = await changeOwn(owning, { conv, asker: caller }, (member, lastSeq) =>
    upTo === undefined
      ? hide(owning, member, seqs ?? [])
      : deleteUpTo(owning, member, Math.min(upTo, lastVisible(member, lastSeq))),
  );
  return changed instanceof AppError ? changed : ownStateOf(changed);
}

async function deleteUpTo({ store }: Owning, member: Member, upTo: number): Promise<undefined> {
  if (upTo <= member.deletedTo) return undefined;
  const [last] = await store.log.range(member.conv, { before: upTo + 1, limit: 1 });
  member.deletedTo = upTo;
  member.deletedOrd = last?.ord ?? 0;
  if (member.hidden) member.hidden = member.hidden.filter(([seq]) => seq > upTo);
  return undefined;
}

async function hide({ store }: Owning, member: Member, seqs: readonly number[]): Promise<AppError | undefined> {
  const seen = [...new Set(seqs)].filter((seq) => sees(member, seq));
  const entries = await Promise.all(seen.map((seq) => entryAt(store, member.conv, seq)));
  const more = entries.flatMap((entry): Recalled[] => (entry ? [[entry.seq, isCounted(entry) ? entry.ord : 0]] : []));
  const hidden = [...(member.hidden ?? []), ...more].sort(([a], [b]) => a - b);
  if (hidden.length > limits.hiddenMessages)
    return new AppError(
      "conflict",
      `${limits.hiddenMessages} messages are deleted here one by one; delete all up to one with upTo`,
    );
  if (more.length > 0) member.hidden = hidden;
  return undefined;
}
