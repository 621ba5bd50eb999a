// Accounts: made and found.
import { AppError, accountPassword, register, usersCreate } from "@parley/protocol";
import { addressKey, type TokenBuckets } from "@parley/runtime";
import { type Bound, bind, type Call } from "../call.ts";
import { knownUser } from "../known-users.ts";
import { newProfile } from "../people/profiles.ts";
import type { ApiStore, UserDoc } from "../store.ts";
import { isReservedName, isServicesName, takeName } from "./names.ts";
import { changePassword, type PasswordChangeParts } from "./password-change.ts";

export interface UserParts extends PasswordChangeParts {
  registerAllowed: boolean;
  /** accounts that an address makes */
  registrations: TokenBuckets;
}

export function userMethods(parts: UserParts): Bound[] {
  return [
    bind(register, ({ username, password, name }, call) => {
      if (!parts.registerAllowed) return new AppError("forbidden", "registration is off; ask who runs this server");
      if (isReservedName(username)) return reserved(username);
      const retryAfterMs = parts.registrations.take(addressKey(call.address));
      if (retryAfterMs > 0)
        return new AppError("rate_limited", "too many new accounts from this address", { details: { retryAfterMs } });
      return createUser(parts, { uid: username, password, name }, call);
    }),
    bind(usersCreate, (user, call) => createUser(parts, user, call)),
    bind(accountPassword, (params, call) => changePassword(parts, params, call)),
  ];
}

/** The user of an external issuer, made where it is missing; false when it is disabled, or the name is reserved or a room's. */
export async function ensureUser(store: ApiStore, uid: string): Promise<boolean> {
  if (isServicesName(uid)) return false;
  const kept = await store.users.get(uid);
  if (kept) return !kept.doc.disabled;
  if (!(await takeName(store, uid, "user"))) return false;
  const doc: UserDoc = { uid, passwordHash: null, name: null, createdAt: Date.now(), kind: "user", madeBy: "issuer" };
  await store.profiles.insert(uid, newProfile(uid, null));
  return (await store.users.insert(uid, doc)) || (await knownUser(store, uid)) !== undefined;
}

async function createUser(
  { store, passwords }: UserParts,
  { uid, password, name }: { uid: string; password?: string | undefined; name?: string | undefined },
  { operation, address }: Call,
): Promise<{ uid: string } | AppError> {
  if (isServicesName(uid)) return reserved(uid);
  const known = await store.users.get(uid);
  if (known) return known.doc.madeBy === operation ? { uid } : taken(uid);
  const passwordHash = password === undefined ? null : await passwords.hash(password, address);
  if (!(await takeName(store, uid, "user"))) return taken(uid);
  const doc: UserDoc = {
    uid,
    passwordHash,
    name: name?.normalize("NFC") ?? null,
    createdAt: Date.now(),
    kind: "user",
    madeBy: operation,
  };
  // Before the user, so that no user is without one.
  const profile = newProfile(uid, doc.name);
  const isNew = await store.profiles.insert(uid, profile);
  if (await store.users.insert(uid, doc)) {
    // Left by another attempt, perhaps with another name.
    if (!isNew) await store.profiles.put([{ key: uid, doc: profile }]);
    return { uid };
  }
  // Another replica may be working the same request.
  return (await store.users.get(uid))?.doc.madeBy === operation ? { uid } : taken(uid);
}

function reserved(uid: string): AppError {
  return new AppError("forbidden", `${uid} is reserved: choose another name`);
}

function taken(uid: string): AppError {
  return new AppError("conflict", `the name ${uid} is taken`);
}
