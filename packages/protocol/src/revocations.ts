// Which tokens and connections a revocation ends: one rule for everybody who checks them.
import type { Revocation } from "./services.ts";

/** What a token or a connection was made with. */
export interface Credential {
  clientId: string | undefined;
  /** unix s: of the token, else when the connection began */
  issuedAt: number;
  /** `since` of the password that the account had; undefined: not known, or an external issuer's token */
  passwordSince: number | undefined;
  /** the login that the token comes from; undefined: a connect by password */
  family: string | undefined;
}

/** By the password's generation, where that is known, whatever the clocks said; else by time. */
export function isRevokedBy(credential: Credential, { clientId, before, password }: Revocation): boolean {
  if (clientId !== undefined && clientId !== credential.clientId) return false;
  const { issuedAt, passwordSince, family } = credential;
  if (password === undefined || passwordSince === undefined) return issuedAt < before;
  const isKept = family !== undefined && family === password.keep;
  return passwordSince < password.since && !isKept;
}

/** Of revocations with one key only the latest counts. `*` is in no client id. */
export function revocationKey({ uid, clientId = "", password }: Omit<Revocation, "before" | "until">): string {
  return `${uid} ${password === undefined ? clientId : "*"}`;
}

/** The keys of all revocations that may end what this device of the user has. */
export function revocationKeysOf(uid: string, clientId = ""): string[] {
  return [...new Set([`${uid} ${clientId}`, `${uid} `, `${uid} *`])];
}

/** The later of two revocations with one key: changes of a password are in the order of `since`, by whatever clock. */
export function laterRevocation<Known extends Revocation>(
  known: Known | undefined,
  told: Revocation,
): Known | Revocation {
  if (known === undefined) return told;
  const step = (told.password?.since ?? 0) - (known.password?.since ?? 0);
  return (step === 0 ? told.before > known.before : step > 0) ? told : known;
}
