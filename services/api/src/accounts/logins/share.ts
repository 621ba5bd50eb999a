// Logins that several accounts share: begun with the second account, ended with the last. An account's own document says
// which login it is of, in one write; what stands around that write is finished or undone by whoever lives.
import { randomUUID } from "node:crypto";
import { AppError, limits } from "@parley/protocol";
import { hasPassed, type Logger, type Pass } from "@parley/runtime";
import type { Versioned } from "@parley/store";
import { type Finishing, startFinishing } from "../../finishing.ts";
import { knownUser, userGone } from "../../known-users.ts";
import type { ApiStore, LoginDoc, UserDoc } from "../../store.ts";
import { accountsOf } from "./login.ts";

export interface SharingParts {
  store: ApiStore;
  /** marks a point where a test can end the process */
  pass: Pass;
}

const attemptsMax = 50;
/** Who adds an account has done so by then, or never will. */
const addingMs = 60_000;

interface Adding {
  uid: string;
  since?: number;
}

/** The login that the account is to be added to, which adds no other meanwhile; or why it cannot be. */
export async function beginAdding(parts: SharingParts, owner: string, adding: Adding): Promise<string | AppError> {
  const { store } = parts;
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const login = await sharedLogin(parts, owner);
    if (login instanceof AppError) return login;
    if (login === undefined) continue;
    const refused = await refuseAdding(store, login, adding);
    if (refused) return refused;
    const now = Date.now();
    const doc: LoginDoc = { ...login.doc, adding: { ...adding, at: now }, doubtSince: now };
    if (await store.logins.update(login.key, doc, login.version)) return login.key;
  }
  return changedMeanwhile();
}

async function refuseAdding(
  store: ApiStore,
  login: Versioned<LoginDoc>,
  { uid }: Adding,
): Promise<AppError | undefined> {
  const uids = (await accountsOf(store, login.key)).map((one) => one.uid);
  const other = login.doc.adding;
  // One that was given up is looked at first, so that it is not added after all.
  if (other && other.uid !== uid && !uids.includes(other.uid) && !(await settle(store, login)))
    return new AppError("conflict", "another account is being added; try again in a minute");
  if (uids.includes(uid) || uids.length < limits.loginAccounts) return undefined;
  return new AppError("conflict", `a login has at most ${limits.loginAccounts} accounts`);
}

/** One that is to lose an account: looked at until it is settled. As it is then; undefined: it is no more. */
export async function doubtLogin({ logins }: ApiStore, id: string): Promise<LoginDoc | undefined> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const login = await logins.get(id);
    if (!login || (await logins.update(id, { ...login.doc, doubtSince: Date.now() }, login.version))) return login?.doc;
  }
  throw changedMeanwhile();
}

/**
 * Whoever has the account in hand, to move it by the password that its login had before, finds its document moved on and
 * changes nothing. False: it is not of this login any more.
 */
export async function outdateMoves({ users }: ApiStore, uid: string, login: string): Promise<boolean> {
  for (;;) {
    const user = await users.get(uid);
    if (user?.doc.login !== login) return false;
    if (await users.update(uid, user.doc, user.version)) return true;
  }
}

/** Ends the login if it has no account any more. `added`: nobody adds this one any more. */
export async function settleLogin(store: ApiStore, id: string, added?: string): Promise<void> {
  const login = await store.logins.get(id);
  if (login) await settle(store, login, added);
}

/** Every login of which it is not certain that it has an account. */
export async function settleLogins(store: ApiStore): Promise<void> {
  const { items } = await store.logins.find({ index: "doubt", limit: 100 });
  for (const login of items) await settle(store, login);
}

/** Settles those that an earlier process, or one that failed, left. */
export function startSettlingLogins({ store }: SharingParts, log: Logger): Finishing {
  return startFinishing({
    find: () => store.logins.find({ index: "doubt", limit: 100 }),
    begunAt: ({ doubtSince = 0 }) => doubtSince,
    finish: async (login) => void (await settle(store, login)),
    trouble: "logins_unsettled",
    log,
  });
}

/** Undefined: it was changed at the same time. */
async function sharedLogin(parts: SharingParts, owner: string): Promise<Versioned<LoginDoc> | AppError | undefined> {
  const user = await knownUser(parts.store, owner);
  if (!user) return userGone();
  const id = user.doc.login ?? (await share(parts, user));
  return id === undefined || id instanceof AppError ? id : parts.store.logins.get(id);
}

// The account's own login becomes one that it can share; what was made with it stays good.
async function share(
  { store, pass }: SharingParts,
  { key, doc, version }: Versioned<UserDoc>,
): Promise<string | undefined | AppError> {
  const { passwordHash, passwordBy, passwordChange } = doc;
  if (passwordHash === null)
    return new AppError("forbidden", "this account has no password: it logs in through an application only");
  const id = randomUUID();
  const now = Date.now();
  const login: LoginDoc = {
    id,
    passwordHash,
    ...(passwordBy === undefined ? {} : { passwordBy }),
    ...(passwordChange === undefined ? {} : { passwordChange }),
    adding: { uid: key, at: now },
    doubtSince: now,
  };
  await store.logins.insert(id, login);
  pass("before-login-shared");
  if (await store.users.update(key, { ...doc, login: id, passwordHash: null }, version)) return id;
  await store.logins.remove(id);
  return undefined;
}

// False while an account is being added. Where the login was changed meanwhile it is in doubt still, and looked at again.
async function settle(store: ApiStore, login: Versioned<LoginDoc>, added?: string): Promise<boolean> {
  const { adding, doubtSince: _, ...rest } = login.doc;
  if (adding && adding.uid !== added && !(await isOver(store, login.key, adding))) return false;
  const accounts = await accountsOf(store, login.key);
  if (accounts.length === 0) {
    const phones = await store.phones.find({ index: "login", equals: [login.key], limit: 10 });
    for (const { key, version } of phones.items) await store.phones.remove(key, version);
    await store.logins.remove(login.key, login.version);
  } else await store.logins.update(login.key, rest, login.version);
  return true;
}

async function isOver({ users }: ApiStore, login: string, { uid, at }: Adding & { at: number }): Promise<boolean> {
  const user = await users.get(uid);
  if (user?.doc.login === login) return true;
  if (!hasPassed(at, addingMs)) return false;
  // Who stood still for so long with the account in hand finds its document moved on, and changes nothing.
  return user === undefined || users.update(uid, user.doc, user.version);
}

export function changedMeanwhile(): AppError {
  return new AppError("conflict", "the account was changed at the same time; try again");
}
