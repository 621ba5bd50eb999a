// conversations.update: how a user has a conversation.
import { AppError, type Caller, type conversationsUpdate, type ParamsOf, type ResultOf } from "@parley/protocol";
import type { Member, MemberSettings } from "../keep/store.ts";
import { settingsOf } from "../read/own-state.ts";
import { changeOwn, type Owning } from "./own.ts";

type Asked = ParamsOf<typeof conversationsUpdate>;

export async function updateConversation(
  owning: Owning,
  asked: Asked,
  caller: Caller,
): Promise<ResultOf<typeof conversationsUpdate> | AppError> {
  const { conv } = asked;
  const changed = await changeOwn(owning, { conv, asker: caller }, (member) => {
    member.settings = settingsAfter(member, asked);
    return undefined;
  });
  return changed instanceof AppError ? changed : { conv, settings: settingsOf(changed) };
}

function settingsAfter({ settings, readSeq }: Member, asked: Asked): MemberSettings {
  const { version = 0, pinnedAt, mutedUntil, archived, unreadBehind, name } = settings ?? {};
  const now = {
    pinnedAt: asked.pinned === undefined ? pinnedAt : asked.pinned ? (pinnedAt ?? Date.now()) : undefined,
    mutedUntil: (asked.mutedUntil ?? mutedUntil) || undefined,
    archived: (asked.archived ?? archived) || undefined,
    unreadBehind: asked.markedUnread === undefined ? unreadBehind : asked.markedUnread ? readSeq : undefined,
    name: (asked.name ?? name) || undefined,
  };
  const set = Object.entries(now).filter(([, value]) => value !== undefined);
  return { version: version + 1, ...Object.fromEntries(set) };
}
