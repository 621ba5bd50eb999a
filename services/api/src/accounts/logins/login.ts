// What accounts log in with: a password of their own, or that of a login which several accounts share.
import type { AccountsReply, PasswordChange } from "@parley/protocol";
import type { Versioned } from "@parley/store";
import { knownUsers } from "../../known-users.ts";
import type { ApiStore, LoginDoc, PasswordDoc, UserDoc } from "../../store.ts";

/** As of one moment. */
export interface Login {
  /** null: logs in through an application only */
  passwordHash: string | null;
  /** the account's own last change, and that of the login that it shares: each ended what was made before it */
  changes: readonly PasswordChange[];
  /** the latest of them; 0: there was none */
  since: number;
}

/** The document that a password is in. */
export interface PasswordPlace {
  kept: PasswordDoc;
  /** absent: it is the account's own document */
  login?: string;
  /** an account that may log in with it soon */
  adding?: LoginDoc["adding"] | undefined;
  /** false: it was changed meanwhile */
  write(password: PasswordDoc): Promise<boolean>;
  /** The accounts that log in with it. */
  accounts(): Promise<UserDoc[]>;
}

/** No login has so many: its accounts are counted before one is added. */
const pageAccounts = 100;
const askedUsers = 500;

export async function loginOf({ logins }: ApiStore, user: UserDoc): Promise<Login> {
  const shared = user.login === undefined ? undefined : (await logins.get(user.login))?.doc;
  const { passwordHash } = (user.login === undefined ? user : shared) ?? { passwordHash: null };
  const changes = [user.passwordChange, shared?.passwordChange].filter((change) => change !== undefined);
  return { passwordHash, changes, since: latestOf(changes) };
}

/** Where the password of an account is; undefined where its login is no more. */
export async function passwordPlaceOf(store: ApiStore, user: Versioned<UserDoc>): Promise<PasswordPlace | undefined> {
  return user.doc.login === undefined ? placeOfUser(store, user) : placeOfLogin(store, user.doc.login);
}

/** The account's own document, also where its password is a login's now. */
export async function ownPlaceOf(store: ApiStore, uid: string): Promise<PasswordPlace | undefined> {
  const user = await store.users.get(uid);
  return user && placeOfUser(store, user);
}

function placeOfUser({ users }: ApiStore, { key, doc, version }: Versioned<UserDoc>): PasswordPlace {
  return {
    kept: doc,
    write: (password) => users.update(key, { ...doc, ...password }, version),
    accounts: async () => [doc],
  };
}

export async function placeOfLogin(store: ApiStore, id: string): Promise<PasswordPlace | undefined> {
  const login = await store.logins.get(id);
  return (
    login && {
      kept: login.doc,
      login: id,
      adding: login.doc.adding,
      write: (password) => store.logins.update(id, { ...login.doc, ...password }, login.version),
      accounts: () => accountsOf(store, id),
    }
  );
}

/** The accounts that share a login, the oldest first; disabled ones too. */
export async function accountsOf({ users }: ApiStore, id: string): Promise<UserDoc[]> {
  const { items } = await users.find({ index: "login", equals: [id], limit: pageAccounts });
  return items.map(({ doc }) => doc).sort((one, other) => one.createdAt - other.createdAt);
}

/** Of each of the users, up to 500, the accounts of its login that may be used. */
export async function accountsOfLogins(store: ApiStore, uids: readonly string[]): Promise<AccountsReply> {
  const users = await knownUsers(store, uids.slice(0, askedUsers));
  const shared = new Map<string, Promise<UserDoc[]>>();
  const accounts: Record<string, string[]> = {};
  await Promise.all(
    [...users].map(async ([uid, { doc }]) => {
      const { login } = doc;
      if (login !== undefined && !shared.has(login)) shared.set(login, accountsOf(store, login));
      const all = login === undefined ? [doc] : await shared.get(login)!;
      accounts[uid] = all.filter(({ disabled }) => !disabled).map((one) => one.uid);
    }),
  );
  return { accounts };
}

/** 0: there was none. */
export function latestOf(changes: readonly ({ since?: number } | undefined)[]): number {
  return Math.max(0, ...changes.map((change) => change?.since ?? 0));
}
