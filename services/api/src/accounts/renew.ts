// A new token for a device whose old one ran out: for as long as nobody ended its login.
import { AppError, type RenewedToken } from "@parley/protocol";
import type { ApiStore } from "../store.ts";
import { credentialOf, endedFamilies, familiesOf } from "./families.ts";
import type { Revoke } from "./revoke.ts";
import { signToken, tokenLifeMs } from "./tokens.ts";

interface Parts {
  store: ApiStore;
  revoke: Revoke;
  signingKey: Uint8Array;
}

/** Asked for by services of a device that the broker let in; `not_found` where it has no login that is good. */
export async function renewToken(
  { store, revoke, signingKey }: Parts,
  { uid, clientId }: { uid: string; clientId: string },
): Promise<RenewedToken> {
  const isEnded = await endedFamilies(store, uid);
  for await (const families of familiesOf(store, { uid, clientId })) {
    const family = families.findLast((one) => !isEnded(one) && one.doc.expiresAt > Date.now());
    if (!family) continue;
    const { passwordSince, family: name } = credentialOf(family);
    const { dialect } = family.doc;
    const issuedAt = await revoke.issueTime(uid, clientId);
    const expiresAt = Math.floor((issuedAt + tokenLifeMs) / 1000) * 1000;
    const made = { uid, clientId, issuedAt, expiresAt, passwordSince, family: name };
    return {
      token: await signToken(signingKey, { ...made, ...(dialect === undefined ? {} : { dialect }) }),
      expiresAt,
    };
  }
  throw new AppError("not_found", "the device has no login that is good");
}
