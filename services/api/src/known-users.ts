// Users as everybody but an administrator knows them: who is disabled is none.
import { AppError, foldName } from "@parley/protocol";
import type { Versioned } from "@parley/store";
import type { ApiStore, UserDoc } from "./store.ts";

export async function knownUser({ users }: ApiStore, uid: string): Promise<Versioned<UserDoc> | undefined> {
  const user = await users.get(uid);
  return user?.doc.disabled ? undefined : user;
}

/** Those of them who are users. */
export async function knownUsers(
  { users }: ApiStore,
  uids: readonly string[],
): Promise<ReadonlyMap<string, Versioned<UserDoc>>> {
  const found = await users.getMany(uids);
  return new Map([...found].filter(([, { doc }]) => !doc.disabled));
}

/** The user as registered, for a name or an alias in any case; of users that differ in case only, the one spelled exactly so. */
export async function findUser(store: ApiStore, name: string): Promise<Versioned<UserDoc> | undefined> {
  const exact = await store.users.get(name);
  if (exact) return exact.doc.disabled ? undefined : exact;
  const kept = await store.names.get(foldName(name));
  if (kept?.doc.kind === "user") return knownUser(store, kept.doc.name ?? kept.key);
  return kept?.doc.uid === undefined ? undefined : knownUser(store, kept.doc.uid);
}

/** For who has been erased or disabled since its token was checked. */
export function userGone(): AppError {
  return new AppError("unauthenticated", "there is no such user any more");
}
