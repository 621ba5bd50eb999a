// Which users another one may know of, and how names that it gives in any case are spelled.
import { foldName } from "@parley/protocol";
import { knownUsers } from "../known-users.ts";
import type { ApiStore } from "../store.ts";
import { pairKey, sidesOf } from "./pairs.ts";

/** Those of `uids` of whom `by` is told that there is no such user: nobody, and who is shown to its contacts only. */
export async function unseenBy(store: ApiStore, by: string, uids: readonly string[]): Promise<ReadonlySet<string>> {
  const [known, hidden] = await Promise.all([knownUsers(store, uids), hiddenFrom(store, by, uids)]);
  return new Set(uids.filter((uid) => !known.has(uid) || hidden.has(uid)));
}

/** Those who are shown to their contacts only, of whom `by` is none. */
export async function hiddenFrom(
  { profiles, pairs }: ApiStore,
  by: string,
  uids: readonly string[],
): Promise<ReadonlySet<string>> {
  const found = await profiles.getMany(uids);
  const shy = uids.filter((uid) => uid !== by && found.get(uid)?.doc.visibility === "contacts");
  if (shy.length === 0) return new Set();
  const kept = await pairs.getMany(shy.map((uid) => pairKey(uid, by)));
  const isContact = (uid: string) => {
    const { mine } = sidesOf(kept.get(pairKey(uid, by))?.doc, uid);
    return mine.relation === "contact" && !mine.blocked;
  };
  return new Set(shy.filter((uid) => !isContact(uid)));
}

/**
 * Each of these uids, given in any case, as it is registered. One that `by` may not know of stays as it is given, as one that
 * nobody has; of users of early versions that differ in case only, the one spelled exactly so is meant.
 */
export async function asRegistered(store: ApiStore, by: string, uids: readonly string[]): Promise<string[]> {
  const names = await store.names.getMany([...new Set(uids.map(foldName))]);
  const spelled = uids.map((uid) => {
    const kept = names.get(foldName(uid));
    return kept?.doc.kind === "user" ? (kept.doc.name ?? kept.key) : uid;
  });
  const others = uids.filter((uid, at) => uid !== spelled[at]);
  if (others.length === 0) return [...uids];
  const [exact, unseen] = await Promise.all([store.users.getMany(others), unseenBy(store, by, spelled)]);
  return uids.map((uid, at) => {
    const name = spelled[at] ?? uid;
    return exact.has(uid) || unseen.has(name) ? uid : name;
  });
}
