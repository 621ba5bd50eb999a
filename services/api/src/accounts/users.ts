// Accounts: made, found, verified; one namespace with rooms (DIALECTS §1.9).
import { AppError, accountPassword, register, reservedClientId, usersCreate } from "@parley/protocol";
import { type Bound, bind, type Call } from "../call.ts";
import type { ApiStore, NameDoc, UserDoc } from "../store.ts";
import { type LoginLimits, tooManyFailures } from "./login-limits.ts";
import type { Passwords } from "./passwords.ts";
import type { Revoke } from "./revoke.ts";

export interface UserParts {
  store: ApiStore;
  passwords: Passwords;
  revoke: Revoke;
  limits: LoginLimits;
  registerAllowed: boolean;
}

export function userMethods(parts: UserParts): Bound[] {
  return [
    bind(register, ({ username, password, name }, call) => {
      if (!parts.registerAllowed) return new AppError("forbidden", "registration is off; ask who runs this server");
      return createUser(parts, { uid: username, password, name }, call);
    }),
    bind(usersCreate, (user, call) => createUser(parts, user, call)),
    bind(accountPassword, (params, call) => changePassword(parts, params, call)),
  ];
}

/** The first of `uids` that is no user, or undefined. */
export async function firstUnknown({ users }: ApiStore, uids: readonly string[]): Promise<string | undefined> {
  const known = await users.getMany(uids);
  return uids.find((uid) => !known.has(uid));
}

/** Takes a name for a user or a room; false when the other kind has it. */
export async function takeName({ names }: ApiStore, name: string, kind: NameDoc["kind"]): Promise<boolean> {
  if (await names.insert(name, { kind })) return true;
  return (await names.get(name))?.doc.kind === kind;
}

/** The user of an external issuer, made where it is missing; false when the name is reserved or a room's. */
export async function ensureUser(store: ApiStore, uid: string): Promise<boolean> {
  if (reservedClientId.test(uid)) return false;
  if (await store.users.get(uid)) return true;
  if (!(await takeName(store, uid, "user"))) return false;
  const doc: UserDoc = { uid, passwordHash: null, name: null, createdAt: Date.now(), kind: "user", madeBy: "issuer" };
  return (await store.users.insert(uid, doc)) || (await store.users.get(uid)) !== undefined;
}

async function createUser(
  { store, passwords }: UserParts,
  { uid, password, name }: { uid: string; password?: string | undefined; name?: string | undefined },
  { operation }: Call,
): Promise<{ uid: string } | AppError> {
  if (reservedClientId.test(uid)) return new AppError("forbidden", `${uid} is reserved: choose another name`);
  const known = await store.users.get(uid);
  if (known) return known.doc.madeBy === operation ? { uid } : taken(uid);
  const passwordHash = password === undefined ? null : await passwords.hash(password);
  if (!(await takeName(store, uid, "user"))) return taken(uid);
  const doc: UserDoc = {
    uid,
    passwordHash,
    name: name ?? null,
    createdAt: Date.now(),
    kind: "user",
    madeBy: operation,
  };
  if (await store.users.insert(uid, doc)) return { uid };
  // Another replica may be working the same request.
  return (await store.users.get(uid))?.doc.madeBy === operation ? { uid } : taken(uid);
}

async function changePassword(
  { store, passwords, revoke, limits }: UserParts,
  { password, newPassword }: { password: string; newPassword: string },
  { caller, operation, address }: Call,
): Promise<Record<string, never> | AppError> {
  const user = await store.users.get(caller.uid);
  // Worked again after a crash: the password is changed, the other devices may not be revoked yet.
  if (user?.doc.passwordBy !== operation) {
    if (await limits.exceeded(caller.uid, address)) return tooManyFailures();
    if (!(await passwords.verify(user?.doc.passwordHash, password)) || !user) {
      await limits.failed(caller.uid, address);
      return new AppError("unauthenticated", "the present password is wrong");
    }
    const doc: UserDoc = { ...user.doc, passwordHash: await passwords.hash(newPassword), passwordBy: operation };
    const changed = await store.users.update(caller.uid, doc, user.version);
    // Another replica may be working the same request.
    if (!changed && (await store.users.get(caller.uid))?.doc.passwordBy !== operation)
      return new AppError("conflict", "the account was changed at the same time; try again");
  }
  await revoke.otherDevices(caller);
  return {};
}

function taken(uid: string): AppError {
  return new AppError("conflict", `the name ${uid} is taken`);
}
