// The accounts of one login: listed to their owner, added, and let go to a login of their own.
import {
  AppError,
  accountsAdd,
  accountsList,
  accountsRelease,
  type ParamsOf,
  type PasswordChange,
  type ResultOf,
  shownAvatar,
  subjects,
} from "@parley/protocol";
import { type NatsConnection, natsConnected } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { type Bound, bind, type Call } from "../call.ts";
import { findUser, knownUser, userGone } from "../known-users.ts";
import type { UserDoc } from "../store.ts";
import { accountsOf, accountsOfLogins, latestOf, loginOf } from "./logins/login.ts";
import { beginAdding, changedMeanwhile, doubtLogin, settleLogin } from "./logins/share.ts";
import type { PasswordChangeParts } from "./password-change.ts";
import { createUser, refuseNew, type UserParts } from "./users.ts";

type Added = ResultOf<typeof accountsAdd>;

type LoginParts = UserParts & { nats: NatsConnection };

export function loginMethods(parts: LoginParts): Bound[] {
  return [
    bind(accountsList, (_params, { caller }) => list(parts, caller.uid)),
    bind(accountsAdd, ({ uid, name, password }, call) => {
      if (password === undefined) return addNew(parts, { uid, name }, call);
      if (name === undefined) return addExisting(parts, { uid, password }, call);
      return new AppError("invalid_packet", "name is for a new account, password for one that exists: not both");
    }),
    bind(accountsRelease, (params, call) => release(parts, params, call)),
  ];
}

async function list({ store }: UserParts, uid: string): Promise<ResultOf<typeof accountsList> | AppError> {
  const user = await knownUser(store, uid);
  if (!user) return userGone();
  const { login } = user.doc;
  const accounts = login === undefined ? [user.doc] : await accountsOf(store, login);
  const profiles = await store.profiles.getMany(accounts.map((one) => one.uid));
  return {
    accounts: accounts.map((one) => {
      const { name, nick = "", avatar } = profiles.get(one.uid)?.doc ?? {};
      return {
        uid: one.uid,
        name: name ?? one.uid,
        nick,
        avatar: shownAvatar(avatar),
        state: one.disabled ? "disabled" : "active",
      };
    }),
  };
}

async function addNew(
  parts: LoginParts,
  { uid, name }: { uid: string; name: string | undefined },
  call: Call,
): Promise<Added | AppError> {
  const refused = refuseNew(parts, uid, call);
  if (refused) return refused;
  const login = await beginAdding(parts, call.caller.uid, { uid });
  if (login instanceof AppError) return login;
  parts.pass("before-added");
  const made = await createUser(parts, { uid, name, login }, call);
  parts.pass("before-login-settled");
  await settleLogin(parts.store, login, uid);
  await tellAccounts(parts, [call.caller.uid, uid]);
  return made;
}

/** Its own password ends with it: what was made under it is over, as by a change of password. */
async function addExisting(
  parts: LoginParts,
  { uid: name, password }: { uid: string; password: string },
  call: Call,
): Promise<Added | AppError> {
  const { store, limits, passwords } = parts;
  const { caller, operation, address } = call;
  const [owner, user] = await Promise.all([knownUser(store, caller.uid), findUser(store, name)]);
  if (!owner) return userGone();
  const isMine = (doc: UserDoc) => doc.uid === caller.uid || (doc.login !== undefined && doc.login === owner.doc.login);
  const isDone = user !== undefined && isMine(user.doc) && user.doc.passwordBy === operation;
  const known = user && (await loginOf(store, user.doc));
  if (!isDone) {
    const right = await limits.guess(name, address, () => passwords.verify(known?.passwordHash, password, address));
    if (right instanceof AppError) return right;
    if (!right) return new AppError("unauthenticated", "wrong user name or password");
  }
  if (!user || !known) return new AppError("unauthenticated", "wrong user name or password");
  if (!isDone && isMine(user.doc)) return new AppError("conflict", `${user.key} is of this login already`);
  const { uid } = user.doc;
  const since = Math.max(Date.now(), known.since + 1);
  const login = isDone ? owner.doc.login : await beginAdding(parts, caller.uid, { uid, since });
  if (login instanceof AppError) return login;
  parts.pass("before-added");
  const moved = await move(parts, user, { login, passwordHash: null, change: { since }, seen: known.since }, operation);
  parts.pass("before-login-settled");
  if (login !== undefined) await settleLogin(store, login, uid);
  await tellAccounts(parts, [caller.uid, uid]);
  return moved ?? { uid };
}

/** Best effort, as presence looks again every minute: devices that act for the accounts of a login act for those of now. */
async function tellAccounts({ nats, store }: LoginParts, uids: readonly string[]): Promise<void> {
  const { accounts } = await accountsOfLogins(store, uids);
  const changed = { uids: [...new Set([...uids, ...Object.values(accounts).flat()])] };
  if (natsConnected(nats)) nats.publish(subjects.accountsChanged, JSON.stringify(changed));
}

/** The last one stays: a login is not without an account. */
async function release(
  parts: LoginParts,
  { uid, password, newPassword }: ParamsOf<typeof accountsRelease>,
  { caller, operation, address }: Call,
): Promise<Added | AppError> {
  const { store, limits, passwords } = parts;
  const [owner, user] = await Promise.all([knownUser(store, caller.uid), knownUser(store, uid)]);
  if (!owner) return userGone();
  const keep = uid === caller.uid ? caller.family : undefined;
  const isDone = user !== undefined && user.doc.login === undefined && user.doc.passwordBy === operation;
  const { passwordHash: present, since: seen } = await loginOf(store, owner.doc);
  if (!isDone) {
    const { login } = owner.doc;
    const right = await limits.guess(caller.uid, address, () => passwords.verify(present, password, address));
    if (right instanceof AppError) return right;
    if (!right) return new AppError("unauthenticated", "the present password is wrong");
    if (!user || (user.key !== owner.key && (login === undefined || user.doc.login !== login)))
      return new AppError("not_found", `the login has no account ${uid}`);
    if (login === undefined || (await accountsOf(store, login)).length < 2)
      return new AppError("conflict", "the last account of a login stays with it");
  }
  if (!user) return userGone();
  const since = Math.max(Date.now(), (await loginOf(store, user.doc)).since + 1);
  const change = { since, ...(keep === undefined ? {} : { keep }) };
  const passwordHash = isDone ? user.doc.passwordHash : await passwords.hash(newPassword, address);
  const moved = await move(parts, user, { login: undefined, passwordHash, change, seen }, operation);
  await tellAccounts(parts, [caller.uid, uid]);
  return moved ?? { uid };
}

interface Move {
  /** undefined: to a login of its own */
  login: string | undefined;
  passwordHash: string | null;
  change: PasswordChange;
  /** of the latest change that who moves it has seen: it is moved by the password of then */
  seen: number;
}

/** One write moves the account; what was made under its password before ends as by a change of it. A refusal, if it was not moved. */
async function move(
  parts: PasswordChangeParts,
  { key: uid, doc, version }: Versioned<UserDoc>,
  { login, passwordHash, change, seen }: Move,
  operation: string,
): Promise<AppError | undefined> {
  const { store, pass, revoke } = parts;
  const noteKey = `${uid} ${operation}`;
  let made = doc.passwordBy === operation && doc.login === login ? doc.passwordChange : undefined;
  if (made === undefined) {
    const left = doc.login === undefined ? undefined : await doubtLogin(store, doc.login);
    // The password that was right is the login's no more.
    const isOutdone = latestOf([left?.passwordChange]) > seen;
    await store.passwordChanges.put([{ key: noteKey, doc: { uid, since: change.since, begunAt: Date.now() } }]);
    pass("before-moved");
    const { login: _, ...rest } = doc;
    const moved = { ...rest, passwordHash, passwordBy: operation, passwordChange: change };
    const next = { ...moved, ...(login === undefined ? {} : { login }) };
    if (!isOutdone && (await store.users.update(uid, next, version))) made = change;
    else {
      const now = (await store.users.get(uid))?.doc;
      // Another replica may be working the same request.
      if (now?.passwordBy === operation && now.login === login) made = now.passwordChange;
    }
  }
  if (made !== undefined) {
    pass("before-move-revocation");
    await revoke.earlierPasswords(uid, made);
  }
  await store.passwordChanges.remove(noteKey);
  if (doc.login !== undefined && doc.login !== login) await settleLogin(store, doc.login);
  return made === undefined ? changedMeanwhile() : undefined;
}
