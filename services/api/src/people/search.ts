// Finding people: by the beginning of uid, name or nick, from indexes of the store.
import { AppError, foldName, type ParamsOf, type ResultOf, type usersSearch } from "@parley/protocol";
import type { TokenBuckets } from "@parley/runtime";
import { knownUsers } from "../known-users.ts";
import type { ApiStore, ProfileDoc } from "../store.ts";

export interface SearchParts {
  store: ApiStore;
  /** searches that a user makes */
  searches: TokenBuckets;
}

type Found = ResultOf<typeof usersSearch>;

const foundMax = 20;
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
  const pages = await Promise.all([find("uid"), find("name"), find("nick")]);
  const found = new Map<string, ProfileDoc>();
  for (const { items } of pages) for (const { doc } of items) found.set(doc.uid, doc);
  // A profile is there before its user is.
  const users = await knownUsers(store, [...found.keys()]);
  const rows = [...found.values()].filter(({ uid }) => users.has(uid)).slice(0, limit);
  return { users: rows.map(({ uid, name, nick = "", avatar = "" }) => ({ uid, name: name ?? uid, nick, avatar })) };
}
