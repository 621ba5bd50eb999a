// Accounts: made and found.
import { AppError, accountPassword, register, usersCreate } from "@parley/protocol";
import { addressKey, type TokenBuckets } from "@parley/runtime";
import { type Bound, bind, type Call } from "../call.ts";
import { knownUser } from "../known-users.ts";
import { newProfile } from "../people/profiles.ts";
import type { ApiStore, UserDoc } from "../store.ts";
import { isReservedName, isServicesName, takeName } from "./names/names.ts";
import { changePassword, type PasswordChangeParts } from "./password-change.ts";

export interface UserParts extends PasswordChangeParts {
  registerAllowed: boolean;
  /** accounts that an address makes */
  registrations: TokenBuckets;
  /** names of guests: who took one would end the guest's login */
  guests: readonly string[];
}

export function userMethods(parts: UserParts): Bound[] {
  return [
    bind(register, ({ username, password, name }, call) => {
      return refuseNew(parts, username, call) ?? createUser(parts, { uid: username, password, name }, call);
    }),
    bind(usersCreate, (user, call) => createUser(parts, user, call)),
    bind(accountPassword, (params, call) => changePassword(parts, params, call)),
  ];
}

/** Why a user may not make an account of this name, from this address, now. */
export function refuseNew(
  { registerAllowed, registrations, guests }: Pick<UserParts, "registerAllowed" | "registrations" | "guests">,
  uid: string,
  { address }: Call,
): AppError | undefined {
  if (!registerAllowed) return new AppError("forbidden", "registration is off; ask who runs this server");
  if (isReservedName(uid, guests)) return reserved(uid);
  const retryAfterMs = registrations.take(addressKey(address));
  if (retryAfterMs === 0) return undefined;
  return new AppError("rate_limited", "too many new accounts from this address", { details: { retryAfterMs } });
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

interface NewUser {
  uid: string;
  password?: string | undefined;
  name?: string | undefined;
  /** the login that it shares */
  login?: string;
}

/** Of requests for one name one gets it; a request worked again finds its own user. */
export async function createUser(
  { store, passwords, pass }: Pick<UserParts, "store" | "passwords" | "pass">,
  { uid, password, name, login }: NewUser,
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
    ...(login === undefined ? {} : { login }),
  };
  // Before the user, so that no user is without one.
  const profile = newProfile(uid, doc.name);
  const isNew = await store.profiles.insert(uid, profile);
  pass("before-user");
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
