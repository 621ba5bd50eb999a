// The revocations that one process knows: the latest of each key, asked about every token.
import {
  type Credential,
  isRevokedBy,
  laterRevocation,
  limits,
  type Revocation,
  revocationKey,
  revocationKeysOf,
} from "@parley/protocol";
import { fittingCount } from "./page.ts";

export interface RevocationList {
  /** Throws TypeError for what is no revocation. */
  add(told: Revocation): void;
  isRevoked(uid: string, credential: Credential): boolean;
  /** In the order of their keys, at most `limits.pageBytes`; `next` is the `after` of the page to follow. */
  page(after: string, limit: number): { revocations: Revocation[]; next: string | null };
  /** Those that matter no more. */
  dropExpired(): void;
}

export function openRevocationList(): RevocationList {
  const known = new Map<string, Revocation>();
  const now = () => Date.now() / 1000;
  return {
    add(told) {
      const revocation = readRevocation(told);
      const key = revocationKey(revocation);
      known.set(key, laterRevocation(known.get(key), revocation));
    },
    isRevoked: (uid, credential) =>
      revocationKeysOf(uid, credential.clientId).some((key) => {
        const revocation = known.get(key);
        return revocation !== undefined && revocation.until > now() && isRevokedBy(credential, revocation);
      }),
    page(after, limit) {
      const keys = [...known.keys()].filter((key) => key > after).sort();
      const listed = keys.slice(0, limit).map((key) => known.get(key) as Revocation);
      const texts = listed.map((revocation) => JSON.stringify(revocation));
      const count = fittingCount(texts, limits.pageBytes);
      return { revocations: listed.slice(0, count), next: keys.length > count ? (keys[count - 1] ?? null) : null };
    },
    dropExpired() {
      for (const [key, { until }] of known) if (until <= now()) known.delete(key);
    },
  };
}

/** As it is told and kept, without what others keep beside it. Throws TypeError. */
export function readRevocation(told: Revocation): Revocation {
  const { uid, clientId, before, until, password } = told;
  if (typeof uid !== "string" || typeof before !== "number" || typeof until !== "number")
    throw new TypeError("a revocation names uid, before and until");
  if (password !== undefined && typeof password.since !== "number")
    throw new TypeError("a revocation by a change of password names since");
  const of = { uid, ...(clientId === undefined ? {} : { clientId }), before, until };
  if (password === undefined) return of;
  const { since, keep } = password;
  return { ...of, password: { since, ...(keep === undefined ? {} : { keep }) } };
}
