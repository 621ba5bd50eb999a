// Entries of a roster as their owner sees them.
import { AppError, type Contact, isUid, limits, type NamesReply, namesMost, shownAvatar } from "@parley/protocol";
import { fittingCount } from "@parley/runtime";
import { knownUsers } from "../known-users.ts";
import type { ApiStore, ProfileDoc } from "../store.ts";
import { isOver, pairKey, type Sides, sidesOf } from "./pairs.ts";

export interface Entry {
  other: string;
  sides: Sides;
}

/** One contact an entry, in order. A profile that is for the other's contacts only is shown where the owner is one. */
export async function contactsOf(store: ApiStore, owner: string, entries: readonly Entry[]): Promise<Contact[]> {
  const profiles = await store.profiles.getMany(entries.map(({ other }) => other));
  return entries.map(({ other, sides }) => {
    const profile = profiles.get(other)?.doc;
    return contactOf(other, sides, profile && isShown(profile, sides, owner) ? profile : undefined);
  });
}

export type ShownName = Pick<Contact, "name" | "nick" | "avatar">;

/** What each of these users is called, in order, as `by` may know. */
export async function namesFor(store: ApiStore, by: string, uids: readonly string[]): Promise<ShownName[]> {
  const contacts = await knownTo(
    store,
    uids.map((other) => ({ owner: by, other })),
  );
  return contacts.map(({ name, nick, avatar }) => ({ name, nick, avatar }));
}

/** What `owner` has of `other`, in order, whether or not it is in the roster. */
export async function knownTo(store: ApiStore, asked: readonly { owner: string; other: string }[]): Promise<Contact[]> {
  const others = [...new Set(asked.map(({ other }) => other))];
  const [users, profiles, pairs] = await Promise.all([
    knownUsers(store, others),
    store.profiles.getMany(others),
    store.pairs.getMany([...new Set(asked.map(({ owner, other }) => pairKey(owner, other)))]),
  ]);
  return asked.map(({ owner, other }) => {
    const profile = users.has(other) ? profiles.get(other)?.doc : undefined;
    const sides = sidesOf(pairs.get(pairKey(owner, other))?.doc, owner);
    return contactOf(other, sides, profile && isShown(profile, sides, owner) ? profile : undefined);
  });
}

/** What `by` calls each of these users, in order: as `nick` of a roster entry. As many as a reply holds. */
export async function displayNames(store: ApiStore, by: string, uids: unknown): Promise<NamesReply> {
  if (!Array.isArray(uids) || uids.length > namesMost || ![by, ...uids].every(isUid))
    throw new AppError("invalid_packet", `uids: at most ${namesMost} users`);
  const names = (await namesFor(store, by, uids)).map(({ nick }) => nick);
  const texts = names.map((name) => JSON.stringify(name));
  return { names: names.slice(0, fittingCount(texts, limits.pageBytes)) };
}

function isShown({ uid, visibility }: ProfileDoc, { theirs: { relation, blocked } }: Sides, to: string): boolean {
  return visibility !== "contacts" || uid === to || (relation === "contact" && !blocked);
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
    avatar: shownAvatar(profile?.avatar),
    status: profile?.status ?? "",
    note,
    tags,
    relation: isOver(mine) ? "removed" : relation,
    blocked,
    muted,
    changedAt,
  };
}
