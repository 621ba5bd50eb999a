// Entries of a roster as their owner sees them.
import type { Contact } from "@parley/protocol";
import type { ApiStore, ProfileDoc } from "../store.ts";
import { isOver, type Sides } from "./pairs.ts";

export interface Entry {
  other: string;
  sides: Sides;
}

/** One contact an entry, in order. A profile that is for the other's contacts only is shown where the owner is one. */
export async function contactsOf(store: ApiStore, owner: string, entries: readonly Entry[]): Promise<Contact[]> {
  const profiles = await store.profiles.getMany(entries.map(({ other }) => other));
  return entries.map(({ other, sides }) => {
    const profile = profiles.get(other)?.doc;
    const { relation, blocked } = sides.theirs;
    const isHidden = profile?.visibility === "contacts" && (relation !== "contact" || blocked) && other !== owner;
    return contactOf(other, sides, isHidden ? undefined : profile);
  });
}

/** What the roster of `mine` says of the user `id`. */
export function contactOf(id: string, { mine }: Sides, profile: ProfileDoc | undefined): Contact {
  const { relation, blocked, muted, group, note, tags, changedAt } = mine;
  const name = profile?.name ?? id;
  return {
    id,
    name,
    nick: mine.nick || profile?.nick || name,
    group,
    avatar: profile?.avatar ?? "",
    status: profile?.status ?? "",
    note,
    tags,
    relation: isOver(mine) ? "removed" : relation,
    blocked,
    muted,
    changedAt,
  };
}
