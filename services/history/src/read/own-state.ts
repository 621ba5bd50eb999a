// What a member keeps of a conversation for itself, as its devices are told.
import type { ConversationSettings, OwnState } from "@parley/protocol";
import type { Member } from "../keep/store.ts";

export function ownStateOf(member: Member): OwnState {
  const hidden = (member.hidden ?? []).map(([seq]) => seq);
  return { deletedTo: member.deletedTo, hidden, settings: settingsOf(member) };
}

/** False for most: the state is the one of a conversation that nothing was done to. */
export function keepsOwn({ deletedTo, hidden, settings }: Member): boolean {
  return deletedTo > 0 || hidden !== undefined || settings !== undefined;
}

export function settingsOf({ settings, readSeq }: Member): ConversationSettings {
  if (!settings) return {};
  const { version: _, unreadBehind, ...rest } = settings;
  return { ...rest, ...(unreadBehind !== undefined && readSeq <= unreadBehind ? { markedUnread: true } : {}) };
}
