// Families of refresh tokens, one for each login: what they are made with, and whether a change of password ended them.
import type { Versioned } from "@parley/store";
import { knownUser } from "../known-users.ts";
import type { ApiStore, RefreshTokenDoc } from "../store.ts";
import { loginOf } from "./logins/login.ts";

const pageFamilies = 1_000;

/** What a family's tokens are made with. */
export function credentialOf({ key, doc }: Versioned<RefreshTokenDoc>) {
  const { clientId, issuedAt, passwordSince = 0 } = doc;
  return { clientId, issuedAt: issuedAt / 1000, passwordSince, family: familyName(key) };
}

/** As access tokens name it: enough to know it by, and too little to show a made-up token of it. */
export function familyName(key: string): string {
  return key.slice(0, 32);
}

/** Pages of the families of a user, or of one of its devices. */
export async function* familiesOf(
  { refreshTokens }: ApiStore,
  { uid, clientId }: { uid: string; clientId?: string | undefined },
): AsyncGenerator<Versioned<RefreshTokenDoc>[]> {
  const equals = clientId === undefined ? [uid] : [uid, clientId];
  for (let page: string | null | undefined; page !== null; ) {
    const query = { index: "device", equals, limit: pageFamilies, ...(page === undefined ? {} : { page }) };
    const { items, next } = await refreshTokens.find(query);
    yield items;
    page = next;
  }
}

export async function isOfEarlierPassword(store: ApiStore, family: Versioned<RefreshTokenDoc>): Promise<boolean> {
  return (await endedFamilies(store, family.doc.uid))(family);
}

/**
 * Which families of a user its password has ended. What is kept of the account and its login alone decides: from the write
 * that changes the password or disables it on, whoever dies behind it.
 */
export async function endedFamilies(
  store: ApiStore,
  uid: string,
): Promise<(family: Versioned<RefreshTokenDoc>) => boolean> {
  const user = (await knownUser(store, uid))?.doc;
  if (user === undefined) return () => true;
  const { changes } = await loginOf(store, user);
  return (family) => {
    const { passwordSince, family: name } = credentialOf(family);
    return changes.some(({ since, keep }) => passwordSince < since && name !== keep);
  };
}
