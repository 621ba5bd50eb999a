// The accounts of a phone: one document says which login they are of, and the login's accounts are found as those of any.
import { randomUUID } from "node:crypto";
import { AppError, foldName } from "@parley/protocol";
import { accountsOf } from "../accounts/logins/login.ts";
import { beginAdding, settleLogin } from "../accounts/logins/share.ts";
import { createUser, type UserParts } from "../accounts/users.ts";
import type { Call } from "../call.ts";
import { knownUser } from "../known-users.ts";
import type { LoginDoc } from "../store.ts";

type Parts = Pick<UserParts, "store" | "passwords" | "pass">;

/** Numbers that are tried for a new account: those of erased ones are given to nobody again. */
const triesMax = 50;

/** The login of a phone; made where there is none. */
async function loginOfPhone({ store }: Parts, phone: string): Promise<string> {
  const made = randomUUID();
  if (await store.phones.insert(phone, { phone, login: made })) return made;
  return (await store.phones.get(phone))?.doc.login ?? made;
}

/** Its first account that is not disabled; made where it has none. */
export async function firstAccount(parts: Parts, phone: string, call: Call): Promise<string | AppError> {
  const { store } = parts;
  const login = await loginOfPhone(parts, phone);
  const accounts = await accountsOf(store, login);
  const open = accounts.find(({ disabled }) => !disabled);
  if (open) return open.uid;
  if (accounts.length > 0) return new AppError("forbidden", "the accounts of this phone are disabled");
  const now = Date.now();
  const doc: LoginDoc = { id: login, passwordHash: null, adding: { uid: `${phone}_1`, at: now }, doubtSince: now };
  await store.logins.insert(login, doc);
  const uid = await makeAccount(parts, { phone, login, from: 1 }, call);
  // An erasure of the last account before may have removed it meanwhile.
  await store.phones.insert(phone, { phone, login });
  await settleLogin(store, login, `${phone}_1`);
  return uid;
}

/** One more for the caller's phone. */
export async function addAccount(parts: Parts, name: string | undefined, call: Call): Promise<string | AppError> {
  const { store } = parts;
  const phone = await phoneOfUser(parts, call.caller.uid);
  if (phone === undefined) return new AppError("not_found", "your login has no phone");
  const login = await beginAdding(parts, call.caller.uid, { uid: phone });
  if (login instanceof AppError) return login;
  const count = (await accountsOf(store, login)).length;
  const uid = await makeAccount(parts, { phone, login, from: count + 1, name }, call);
  await settleLogin(store, login, phone);
  return uid;
}

async function makeAccount(
  parts: Parts,
  { phone, login, from, name }: { phone: string; login: string; from: number; name?: string | undefined },
  call: Call,
): Promise<string | AppError> {
  for (let number = from; number < from + triesMax; number++) {
    const uid = `${phone}_${number}`;
    // Whoever works for this login at the same time makes the same account.
    const operation = from === 1 ? `phone ${login} ${number}` : call.operation;
    const made = await createUser(parts, { uid, name, login }, { ...call, operation });
    if (!(made instanceof AppError)) return made.uid;
    if (made.code !== "conflict") return made;
  }
  return new AppError("conflict", "no account of this phone could be made");
}

/** The phone of the user's login. */
export async function phoneOfUser({ store }: Pick<Parts, "store">, uid: string): Promise<string | undefined> {
  const login = (await knownUser(store, uid))?.doc.login;
  if (login === undefined) return undefined;
  const { items } = await store.phones.find({ index: "login", equals: [login], limit: 1 });
  return items[0]?.key;
}

/**
 * The login moves to another phone, whose accounts it has from then on; the uids stay, and the new phone's names lead to them. Done
 * twice it comes to the same.
 */
export async function movePhone({ store }: Parts, uid: string, phone: string): Promise<AppError | undefined> {
  const login = (await knownUser(store, uid))?.doc.login;
  const old = await phoneOfUser({ store }, uid);
  if (login === undefined || old === undefined) return new AppError("not_found", "your login has no phone");
  const kept = await store.phones.get(phone);
  if (kept && kept.doc.login !== login && (await accountsOf(store, kept.doc.login)).length > 0)
    return new AppError("conflict", "the phone has accounts of its own");
  if (kept) await store.phones.update(phone, { phone, login }, kept.version);
  else await store.phones.insert(phone, { phone, login });
  if ((await store.phones.get(phone))?.doc.login !== login)
    return new AppError("conflict", "the phone was registered at the same time");
  for (const account of await accountsOf(store, login)) {
    const [, number = "1"] = /_(\d+)$/.exec(account.uid) ?? [];
    const name = `${phone}_${number}`;
    await store.names.insert(foldName(name), { kind: "alias", name, uid: account.uid, find: foldName(name) });
  }
  if (old !== phone) await store.phones.remove(old);
  return undefined;
}
