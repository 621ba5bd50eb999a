// Finding people: by the beginning of uid, alias, name or nick, from indexes of the store.
import { AppError, foldName, type ParamsOf, type ResultOf, shownAvatar, type usersSearch } from "@parley/protocol";
import type { TokenBuckets } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { knownUsers } from "../known-users.ts";
import type { ApiStore, ProfileDoc } from "../store.ts";

export interface SearchParts {
  store: ApiStore;
  /** searches that a user makes */
  searches: TokenBuckets;
}

type Found = ResultOf<typeof usersSearch>;

const foundMax = 20;
/** Of aliases so many are looked at: those of hidden profiles are left out. */
const aliasesMax = 100;
/** Sorts behind whatever continues a text. */
const lastCharacter = "\u{10ffff}";

export async function searchUsers(
  { store, searches }: SearchParts,
  { query, limit = foundMax }: ParamsOf<typeof usersSearch>,
  by: string,
): Promise<Found | AppError> {
  const retryAfterMs = searches.take(by);
  if (retryAfterMs > 0) return new AppError("rate_limited", "too many searches", { details: { retryAfterMs } });
  const from = foldName(query);
  const find = (index: "uid" | "name" | "nick") =>
    store.profiles.find({ index, from, to: from + lastCharacter, limit });
  const pages = await Promise.all([find("uid"), find("name"), find("nick"), findByAlias(store, from)]);
  const found = new Map<string, ProfileDoc>();
  for (const { items } of pages) for (const { doc } of items) found.set(doc.uid, doc);
  // A profile is there before its user is.
  const users = await knownUsers(store, [...found.keys()]);
  const rows = [...found.values()].filter(({ uid }) => users.has(uid)).slice(0, limit);
  return {
    users: rows.map(({ uid, name, nick = "", avatar }) => ({
      uid,
      name: name ?? uid,
      nick,
      avatar: shownAvatar(avatar),
    })),
  };
}

// A hidden profile has nothing that it is found by.
async function findByAlias({ names, profiles }: ApiStore, from: string): Promise<{ items: Versioned<ProfileDoc>[] }> {
  const aliases = await names.find({ index: "alias", from, to: from + lastCharacter, limit: aliasesMax });
  const uids = aliases.items.flatMap(({ doc: { uid } }) => uid ?? []);
  const found = await profiles.getMany([...new Set(uids)]);
  return { items: [...found.values()].filter(({ doc }) => doc.find !== undefined) };
}
