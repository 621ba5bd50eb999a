// Aliases: other names of an account, which lead to it. One document a name, so that taking and moving one is one write.
import { AppError, aliasesAdd, aliasesList, aliasesRemove, foldName, limits, type ResultOf } from "@parley/protocol";
import type { Versioned } from "@parley/store";
import { type Bound, bind } from "../../call.ts";
import { knownUser, userGone } from "../../known-users.ts";
import type { ApiStore, NameDoc, UserDoc } from "../../store.ts";
import { isReservedName } from "./names.ts";

type Aliases = ResultOf<typeof aliasesList>;

const attemptsMax = 50;
const pageAliases = 100;

interface AliasParts {
  store: ApiStore;
  /** names of guests */
  guests: readonly string[];
}

export function aliasMethods({ store, guests }: AliasParts): Bound[] {
  return [
    bind(aliasesList, (_params, { caller }) => list(store, caller.uid)),
    bind(aliasesAdd, ({ alias }, { caller }) => {
      if (isReservedName(alias, guests)) return new AppError("forbidden", `${alias} is reserved: choose another name`);
      return add(store, caller.uid, alias);
    }),
    bind(aliasesRemove, async ({ alias }, { caller }) => {
      const kept = await store.names.get(foldName(alias));
      const isRemoved = kept?.doc.uid === caller.uid && (await store.names.remove(kept.key, kept.version));
      return isRemoved ? list(store, caller.uid) : new AppError("not_found", `you have no alias ${alias}`);
    }),
  ];
}

/** Of a user who is erased: nothing that was said names it by them, so they are free again. */
export async function removeAliases(store: ApiStore, uid: string): Promise<void> {
  for (const { key, version } of await aliasesOf(store, uid)) await store.names.remove(key, version);
}

async function list(store: ApiStore, uid: string): Promise<Aliases> {
  const kept = await aliasesOf(store, uid);
  return { aliases: kept.map(({ key, doc }) => doc.name ?? key) };
}

async function add(store: ApiStore, uid: string, alias: string): Promise<Aliases | AppError> {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const user = await knownUser(store, uid);
    if (!user) return userGone();
    const key = foldName(alias);
    const kept = await store.names.get(key);
    if (kept && !(await mayHave(store, user.doc, kept.doc)))
      return new AppError("conflict", `the name ${alias} is taken`);
    if (kept?.doc.uid !== uid && (await aliasesOf(store, uid)).length >= limits.accountAliases)
      return new AppError("conflict", `an account has at most ${limits.accountAliases} aliases`);
    const doc: NameDoc = { kind: "alias", name: alias, uid, find: key };
    const isMine = kept ? await store.names.update(key, doc, kept.version) : await store.names.insert(key, doc);
    if (!isMine) continue;
    if (await store.users.get(uid)) return list(store, uid);
    // Erased meanwhile: what it had may be removed by now.
    await removeAliases(store, uid);
  }
  return new AppError("conflict", "the name was changed again and again at the same time; try again");
}

/** An alias of the account, or of another one of its login. */
async function mayHave({ users }: ApiStore, user: UserDoc, name: NameDoc): Promise<boolean> {
  if (name.kind !== "alias" || name.uid === undefined) return false;
  if (name.uid === user.uid) return true;
  const owner = await users.get(name.uid);
  return user.login !== undefined && owner?.doc.login === user.login;
}

async function aliasesOf({ names }: ApiStore, uid: string): Promise<Versioned<NameDoc>[]> {
  return (await names.find({ index: "uid", equals: [uid], limit: pageAliases })).items;
}
